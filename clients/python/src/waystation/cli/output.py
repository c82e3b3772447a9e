"""The output of the command: results on standard output, everything else on standard error.

Texts of strangers are printed so that no terminal takes them for commands, and fields that are secrets not at all.
"""

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from waystation.names import for_terminal
from waystation.progress import Progress, Step, silent

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class Output:
    """Shows the results of one command: for people, in short (`quiet`), or as JSON."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self.as_json, self.quiet = as_json, quiet

    @property
    def for_people(self) -> bool:
        return not (self.as_json or self.quiet)

    def line(self, text: str) -> None:
        """A line of a result."""
        sys.stdout.write(for_terminal(text) + "\n")
        sys.stdout.flush()

    def text(self, text: str) -> None:
        """A stranger's text: as it is, unless it goes to a terminal."""
        if sys.stdout.isatty():
            text = "\n".join(for_terminal(line) for line in text.replace("\t", "    ").split("\n"))
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()

    def json(self, value: Any) -> None:
        """The result as one line of JSON."""
        sys.stdout.write(json.dumps(plain(value)) + "\n")
        sys.stdout.flush()

    def table(self, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows for people, on standard output."""
        from rich.console import Console
        from rich.table import Table

        console = Console(markup=False, highlight=False, emoji=False)
        shown = Table(box=None, pad_edge=False)
        for title in titles:
            shown.add_column(title, overflow="fold")
        for row in rows:
            shown.add_row(*(for_terminal(cell) for cell in row))
        console.print(shown)

    def note(self, text: str) -> None:
        """Something that people want to know, and scripts do not."""
        if self.for_people:
            self._say(text)

    def error(self, text: str) -> None:
        self._say(f"waystation: {text}")

    def _say(self, text: str) -> None:
        sys.stderr.write(for_terminal(text) + "\n")
        sys.stderr.flush()


class Bars:
    """Bars with speed and time left, while standard error is a terminal."""

    MOST = 6
    """Bars that stay when they are full."""

    def __init__(self, output: Output) -> None:
        self._bars = _bars() if output.for_people and sys.stderr.isatty() else None
        self._tasks: dict[str, Any] = {}

    @property
    def progress(self) -> Progress:
        return self._step if self._bars else silent

    def __enter__(self) -> "Bars":
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars:
            self._bars.stop()

    def _step(self, step: Step) -> None:
        assert self._bars, "steps are only asked for when bars are shown"
        if step.key not in self._tasks:
            name = for_terminal(step.name)
            self._tasks[step.key] = self._bars.add_task(name if len(name) <= 40 else f"{name[:37]}…", total=step.size)
            # The bytes that were there already took no time.
            self._bars.update(self._tasks[step.key], completed=step.done)
            self._bars.reset(self._tasks[step.key], completed=step.done, total=step.size)
        full = step.done >= step.size and len(self._tasks) > self.MOST
        self._bars.update(self._tasks[step.key], completed=step.done, visible=not full)


def _bars() -> "RichProgress":
    # Rich takes longer to load than a small file to send.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, markup=False, highlight=False, emoji=False),
    )


def plain(value: Any) -> Any:
    """A value as JSON has it, without the fields that are secrets: those that `repr` leaves out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.repr}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {str(name): plain(kept) for name, kept in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def size_text(size: int | None) -> str:
    """A size as people read it."""
    if size is None:
        return ""
    amount = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def moment_text(moment: datetime | None) -> str:
    """A moment in the user's time; empty: never."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else ""
