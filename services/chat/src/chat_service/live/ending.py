"""The reasons for which a connection ends."""

from dataclasses import dataclass
from enum import IntEnum


class Close(IntEnum):
    """The close codes of WebSockets. Where an HTTP status fits, the code is 4000 plus its last two digits."""

    RESUME = 1000
    """The stream has lived as long as any may: connect again and resume."""
    GOING_AWAY = 1012
    """The process is about to end: connect again and resume."""
    TRY_LATER = 1013
    """A part of the system does not answer: connect again after a while and resume."""
    BAD_INPUT = 4000
    UNAUTHENTICATED = 4001
    FORBIDDEN = 4003
    """Not a member, or no longer one."""
    NOT_FOUND = 4004
    """There is no such room, or no longer."""
    TOO_SLOW = 4008
    """The client did not read its events in time: connect again and resume."""
    FLOOD = 4029
    """The client sent too much."""


REASONS = {
    Close.RESUME: "the stream has lived its time: connect again and resume",
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
    """The end of a connection."""

    code: Close
    last_words: bytes | None = None
    """A frame to send first."""

    @property
    def reason(self) -> str:
        return REASONS[self.code]


class Ended(Exception):
    """The connection ends, or is refused."""

    def __init__(self, code: Close) -> None:
        super().__init__(REASONS[code])
        self.end = End(code)
