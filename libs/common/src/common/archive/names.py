"""The names of an archive's entries: clean, and different on every file system."""

import unicodedata
from collections.abc import Iterable

from common.downloads import NAME_LIMIT, shortened
from common.names import UNNAMED, last_component


def unique_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The names, cleaned, those that are taken already with a number: `a.txt`, `a (2).txt`, `a (3).txt`.

    Names that some file systems take for the same, because they ignore case or normalise Unicode, are the same here.
    """
    used = {_folded(name) for name in taken}
    numbers: dict[str, int] = {}
    found: list[str] = []
    for sent in names:
        name = last_component(sent) or UNNAMED
        folded, kept = _folded(name), name
        number = numbers.get(folded, 1)
        while _folded(kept) in used:
            number += 1
            kept = _numbered(name, number)
        numbers[folded] = number
        used.add(_folded(kept))
        found.append(kept)
    return found


def _numbered(name: str, number: int) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > NAME_LIMIT // 4:
        stem, dot, extension = name, "", ""
    ending = f" ({number}){dot}{extension}"
    return shortened(stem, NAME_LIMIT - len(ending.encode())) + ending


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
