"""Rules for texts: every message is checked, and filtered by the administrator's rules, before it is stored."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from common.errors import InvalidInput, TooLarge
from common.lookalikes import is_blank


class MessageEmpty(InvalidInput):
    """A message needs a text."""

    code = "message_empty"


class MessageUnusable(InvalidInput):
    """A message must be valid Unicode without NUL characters."""

    code = "message_unusable"


class MessageTooLarge(TooLarge):
    """The message is larger than the limit."""

    code = "message_too_large"


class MessageRefused(InvalidInput):
    """The message contains something that is not allowed here."""

    code = "message_refused"


@dataclass(frozen=True, slots=True)
class Filter:
    """One rule: a text that contains `pattern` is refused, or its matches are replaced by `replacement`."""

    pattern: re.Pattern[str]
    action: Literal["refuse", "replace"]
    replacement: str = ""

    @staticmethod
    def compile(pattern: str, action: Literal["refuse", "replace"], replacement: str) -> "Filter":
        """A rule. Raises `ValueError` when the pattern is invalid or lacks a group that the replacement names."""
        try:
            compiled = re.compile(pattern)
            compiled.sub(replacement, "")
        except (re.error, IndexError) as error:
            raise ValueError(f"{pattern!r}: {error}") from None
        return Filter(compiled, action, replacement)


class Texts:
    """The rules that the texts of messages must pass."""

    def __init__(self, filters: Sequence[Filter] = ()) -> None:
        self._filters = tuple(filters)

    def accept(self, text: str, limit: int) -> str:
        """The text to store: as it was sent, except for what filters replace. `limit` in bytes of UTF-8.

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
    # Hardly any text begins with many characters that show nothing, so this is soon known.
    if is_blank(text[: limit + 1]):
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
