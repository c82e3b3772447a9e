"""The names of an archive's entries: such that every system can unpack all of them, and none overwrites another."""

import re
import unicodedata
from collections.abc import Iterable

from common.downloads import NAME_LIMIT, shortened
from common.names import UNNAMED, last_component

# Windows has no files of such names, and its Explorer refuses an archive that has one.
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?= *(\.|$))", re.IGNORECASE)


def unique_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """The names as every system can have them, those that are taken with a number: `a.txt`, `a (2).txt`, `a (3).txt`.

    Names that some file systems take for the same, because they ignore case or normalise Unicode, are the same here.
    """
    used = {_folded(name) for name in taken}
    numbers: dict[str, int] = {}
    found: list[str] = []
    for sent in names:
        name = _portable(sent)
        folded, kept = _folded(name), name
        number = numbers.get(folded, 1)
        while _folded(kept) in used:
            number += 1
            kept = _numbered(name, number)
        numbers[folded] = number
        used.add(_folded(kept))
        found.append(kept)
    return found


def _portable(sent: str) -> str:
    """The name with what Windows does not allow replaced by `_`."""
    name = _FORBIDDEN.sub("_", last_component(sent))
    name = shortened(_DEVICE.sub(r"\1_", name))
    # Dots and spaces at the end would be ignored.
    kept = name.rstrip(" .")
    return kept + "_" * (len(kept) < len(name)) if kept else UNNAMED


def _numbered(name: str, number: int) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > NAME_LIMIT // 4:
        stem, dot, extension = name, "", ""
    ending = f" ({number}){dot}{extension}"
    return shortened(stem, NAME_LIMIT - len(ending.encode())) + ending


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
