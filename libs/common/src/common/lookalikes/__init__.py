"""Characters that nobody sees, and names that look alike (Unicode Technical Standard 39)."""

import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import resources

JOINERS = "\u200c\u200d"
"""Two characters that some scripts need between others, although nobody sees them."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Default_Ignorable_Code_Point, Unicode 17.0.0.
_IGNORABLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
# A letter of the script Braille that shows no dot.
_BLANK = "\u2800"


def is_invisible(character: str) -> bool:
    """Whether a character shows nothing, though it is no space: it controls others, is ignored, or is blank."""
    if character.isascii():
        return not character.isprintable()
    return unicodedata.category(character) in _INVISIBLE or _is_ignorable(character) or character == _BLANK


def has_invisible(text: str) -> bool:
    """Whether any character shows nothing, other than joiners between others."""
    return any(character not in JOINERS and is_invisible(character) for character in text)


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen."""
    return all(character.isspace() or is_invisible(character) for character in text)


def skeleton(text: str) -> str:
    """A text that is the same for all texts that look like this one, in upper or lower case. It is never shown."""
    found = _prototypes_of(_prototypes_of(unicodedata.normalize("NFKC", text)).casefold())
    return " ".join(found.split())


def alternatives(name: str, longest: int, suffix: str, count: int) -> Iterator[str]:
    """The name, and `count` others for when it is taken: its beginning with the suffix, then with a number as well."""
    yield name
    for number in range(count):
        yield f"{name[: longest // 2]}-{suffix}{number or ''}"


def _prototypes_of(text: str) -> str:
    """The skeleton of UTS 39."""
    known = _prototypes()
    characters = (each for each in unicodedata.normalize("NFD", text) if not _is_ignorable(each))
    return unicodedata.normalize("NFD", "".join(known.get(each, each) for each in characters))


def _is_ignorable(character: str) -> bool:
    number = ord(character)
    return number >= _IGNORABLE[0][0] and any(first <= number <= last for first, last in _IGNORABLE)


@cache
def _prototypes() -> dict[str, str]:
    text = (resources.files(__name__) / "confusables.txt").read_text(encoding="utf-8")
    lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {chr(int(source, 16)): "".join(chr(int(each, 16)) for each in target) for source, *target in lines}
