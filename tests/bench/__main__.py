"""`make bench`: measure, write the report, and print its tables and what was aimed at.

make bench                                              everything, in about ten minutes
make bench ARGS="--quick"                               the same with small files, to see that it works
make bench ARGS="--only form,download --no-peers"       some parts alone
make bench ARGS="--profile --only files,requests"       flame graphs in place of figures
make bench ARGS="--data ./data"                         the running system with this data folder
make bench-table                                        write the tables of the report into the documents
"""

import json
import sys

from tests.bench import goals, measuring, options, profiles, table


def main() -> int:
    given = options.parse()
    if given.profile:
        return profiles.write(given)
    report = measuring.measure(given)
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(report) + "\n", encoding="utf-8")
    print(table.render(report))
    print(goals.render(report))
    for name, reason in report["skipped"].items():
        print(f"{name}: skipped, {reason}")
    print(f"\nAll rounds are in {given.json}; `make bench-table` writes the tables into the documents.")
    for part, error in report["failed"].items():
        print(f"{part}: failed, {error}", file=sys.stderr)
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
