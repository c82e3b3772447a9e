"""The table of costs in docs/develop.md."""

from collections.abc import Mapping

from tests.conftest import ROOT
from tests.costs.requests import Cost

DOCUMENT = ROOT / "docs" / "develop.md"
BEGIN, END = "<!-- make costs writes what follows -->\n", "<!-- the end of what make costs writes -->\n"
HEAD = "| request | statements | commits | commands for Valkey | calls between services | messages for workers |\n"


def render(costs: Mapping[str, Cost]) -> str:
    """A row for each request."""
    rows = (
        f"| {name} | {cost.statements} | {cost.commits} | {cost.commands} | {cost.calls} | {cost.messages} |\n"
        for name, cost in costs.items()
    )
    return f"{HEAD}| --- | --- | --- | --- | --- | --- |\n{''.join(rows)}"


def documented() -> str:
    """The table as the document has it."""
    return DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def write(table: str) -> None:
    """Put the table into the document."""
    before, begin, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    DOCUMENT.write_text(before + begin + table + end + after, encoding="utf-8")
