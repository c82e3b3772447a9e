"""How markup is made: whatever is put into it is text, unless it was made here."""

import unicodedata
from html import escape
from string import Template

# Marks that turn the direction of text: within a name they would show another one, as an .exe that ends in .png.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSHOWN = "\N{REPLACEMENT CHARACTER}"


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def filled(template: str, **values: str) -> Html:
    """The template with its `$names` filled in: `Html` as it is, any other text escaped."""
    return Html(
        Template(template).substitute(
            {name: value if isinstance(value, Html) else escape(value) for name, value in values.items()}
        )
    )


def joined(pieces: list[Html]) -> Html:
    """The pieces in a row."""
    return Html("".join(pieces))


def shown(name: str) -> str:
    """A name as it can be shown: what turns text, breaks lines or cannot be seen is made visible."""
    return "".join(_UNSHOWN if _is_unshown(character) else character for character in name)


def _is_unshown(character: str) -> bool:
    return character in _TURNING or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
