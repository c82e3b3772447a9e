"""Why a connection ends."""

from dataclasses import dataclass
from enum import IntEnum


class Close(IntEnum):
    """The code that a WebSocket is closed with: 4000 and the HTTP status without its hundreds, where there is one."""

    GOING_AWAY = 1012
    """The process ends: connect again, and resume."""
    TRY_LATER = 1013
    """Something that is needed does not answer: connect again after a while, and resume."""
    BAD_INPUT = 4000
    UNAUTHENTICATED = 4001
    FORBIDDEN = 4003
    """Not a member, or not any more."""
    NOT_FOUND = 4004
    """There is no such room, or not any more."""
    TOO_SLOW = 4008
    """What happened was not read in time: connect again, and resume."""
    FLOOD = 4029
    """Too much was sent."""


REASONS = {
    Close.GOING_AWAY: "the server restarts: connect again and resume",
    Close.TRY_LATER: "not available: connect again later and resume",
    Close.BAD_INPUT: "not understood",
    Close.UNAUTHENTICATED: "not signed in",
    Close.FORBIDDEN: "not a member of this room",
    Close.NOT_FOUND: "there is no such room",
    Close.TOO_SLOW: "too slow: connect again and resume",
    Close.FLOOD: "too much was sent",
}


@dataclass(frozen=True, slots=True)
class End:
    """How a connection ends."""

    code: Close
    last_words: str | None = None
    """A frame to send before."""

    @property
    def reason(self) -> str:
        return REASONS[self.code]


class Ended(Exception):
    """The connection ends, or does not come to be."""

    def __init__(self, code: Close) -> None:
        super().__init__(REASONS[code])
        self.end = End(code)
