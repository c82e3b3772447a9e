"""Loads a temporary stack, kills its processes at random, and checks that every promise was kept.

make chaos                                   12 kills
make chaos ARGS="--seed 7 --kills 200"       another schedule, and more of it

The seed decides what is done and killed, but not in which order the answers come. Exits with 1 if a promise was broken.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import Run


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description="Kill processes of a loaded stack at random.")
    parser.add_argument("--seed", type=int, default=1, help="decides the load and the kills (1)")
    parser.add_argument("--kills", type=int, default=12, help="processes to kill, beside the supervisor (12)")
    parser.add_argument("--json", type=Path, default=Path("chaos/report.json"), help="file for the report")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a run that found something")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="waystation-chaos-"))
    is_kept = False
    try:
        report = asyncio.run(Run(options.seed, options.kills, folder).go())
        is_kept = options.keep and not report.is_good
    finally:
        if not is_kept:
            shutil.rmtree(folder, ignore_errors=True)
    report.write(options.json)
    sys.stdout.write(report.summary() + "\n")
    if is_kept:
        sys.stdout.write(f"the logs are in {folder}\n")
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
