"""Making HTML: every value that is put into a template is escaped, unless it was made here."""

import unicodedata
from html import escape
from string import Template

# Marks that change the direction of text: in a name they would make an .exe look as if it ended in .png.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSHOWN = "\N{REPLACEMENT CHARACTER}"


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def filled(template: str, **values: str) -> Html:
    """The template with its `$names` filled in: `Html` unchanged, other text escaped."""
    return Html(
        Template(template).substitute(
            {name: value if isinstance(value, Html) else escape(value) for name, value in values.items()}
        )
    )


def joined(pieces: list[Html]) -> Html:
    """The pieces, one after another."""
    return Html("".join(pieces))


def shown(name: str) -> str:
    """A name with visible replacements for characters that turn text, break lines or cannot be seen."""
    return "".join(_UNSHOWN if _is_unshown(character) else character for character in name)


def _is_unshown(character: str) -> bool:
    return character in _TURNING or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
