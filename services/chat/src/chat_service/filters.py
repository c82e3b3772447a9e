"""Words and links that an administrator does not want: what is done to every text before it is kept."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chat_service.rooms.model import MessageEmpty, MessageRefused, MessageTooLarge, MessageUnusable


@dataclass(frozen=True, slots=True)
class Filter:
    """One rule: a text that holds `pattern` is refused, or what matches is replaced by `replacement`."""

    pattern: re.Pattern[str]
    action: Literal["refuse", "replace"]
    replacement: str = ""

    @staticmethod
    def compile(pattern: str, action: Literal["refuse", "replace"], replacement: str) -> "Filter":
        """A rule. Raises `ValueError` when the pattern, or a group that the replacement names, is none."""
        try:
            compiled = re.compile(pattern)
            compiled.sub(replacement, "")
        except (re.error, IndexError) as error:
            raise ValueError(f"{pattern!r}: {error}") from None
        return Filter(compiled, action, replacement)


class Texts:
    """What texts have to be like."""

    def __init__(self, filters: Sequence[Filter] = ()) -> None:
        self._filters = tuple(filters)

    def kept(self, text: str, limit: int) -> str:
        """The text as it is kept: as it was sent, but for what filters replace. `limit` in bytes of UTF-8.

        Raises `MessageEmpty`, `MessageUnusable`, `MessageTooLarge`, `MessageRefused`.
        """
        _check(text, limit)
        if not self._filters:
            return text
        for rule in self._filters:
            if rule.action == "replace":
                text = rule.pattern.sub(rule.replacement, text)
            elif rule.pattern.search(text):
                raise MessageRefused
        _check(text, limit)
        return text


def _check(text: str, limit: int) -> None:
    if not text or text.isspace():
        raise MessageEmpty
    if len(text) > limit:
        raise MessageTooLarge
    if "\0" in text:
        raise MessageUnusable
    if not text.isascii():
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise MessageUnusable from None
        if size > limit:
            raise MessageTooLarge
