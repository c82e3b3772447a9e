"""`make costs`: count what each kind of request costs, print the table, and write it into docs/develop.md."""

import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

from tests.costs import table
from tests.costs.counting import counted
from tests.costs.requests import measure
from tests.costs.system import running
from tests.databases import Databases
from tests.engines import running_postgres, running_valkey


def main() -> None:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="waystation-costs-")))
        databases = opened.enter_context(closing(Databases(opened.enter_context(running_postgres(folder)))))
        lend = opened.enter_context(databases.lending())
        valkey_url = opened.enter_context(running_valkey(folder))
        counts = opened.enter_context(counted())
        found = table.render(measure(opened.enter_context(running(lend, valkey_url, folder)), counts))
    print(found)
    table.write(found)


if __name__ == "__main__":
    main()
