"""The space of a code: all codes that look like it, of which one may be tried after the other."""

from dataclasses import dataclass

from common.ids import CODE_ALPHABET
from share_service.shares.model import is_any_code

_ODDS = 1000
_LEAST = 10
_CROWD = 10


@dataclass(frozen=True, slots=True)
class Space:
    """All codes of one length that consist of digits alone, or else of letters and digits."""

    length: int
    digits_only: bool

    @property
    def size(self) -> int:
        """The number of such codes. Hyphens and underscores are not counted: few codes have them."""
        return (10 if self.digits_only else len(CODE_ALPHABET)) ** self.length

    @property
    def name(self) -> str:
        return f"{self.length}{'d' if self.digits_only else 'a'}"

    @property
    def wrong_of_address(self) -> int:
        """Wrong codes a day of one client address: a thousandth of the codes, and at least so many that people may
        mistype some."""
        return max(self.size // _ODDS, _LEAST)

    @property
    def wrong_of_everybody(self) -> int:
        """Wrong codes a day of all client addresses together, and chosen codes a day of one: each of these leaves a
        share behind."""
        return self.wrong_of_address * _CROWD


def space_of(code: str) -> Space | None:
    """The space that somebody who tries this code searches; None if no share can have such a code."""
    return Space(len(code), code.isdecimal()) if is_any_code(code) else None
