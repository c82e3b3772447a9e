"""The progress of a transfer, for whoever shows it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One of several transfers has come to `done` of `size` bytes."""

    key: str
    """Tells the transfer from others of the same name."""
    name: str
    done: int
    size: int


Progress = Callable[[Step], None]


def silent(_: Step) -> None:
    """Show nothing."""
