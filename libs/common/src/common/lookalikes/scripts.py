"""Names that mix scripts (Unicode Technical Standard 39, section 5.1), which may be meant to look like others."""

from bisect import bisect_right
from functools import cache, lru_cache
from importlib import resources

# Sets of scripts that one language writes with (ISO 15924).
_WRITTEN_TOGETHER = {
    "Hani": {"Hanb", "Jpan", "Kore"},
    "Hira": {"Jpan"},
    "Kana": {"Jpan"},
    "Hang": {"Kore"},
    "Bopo": {"Hanb"},
}


@lru_cache(maxsize=10_000)
def mixed_scripts(name: str) -> tuple[str, ...]:
    """The scripts of a name that mixes them, as codes of ISO 15924 in their order; nothing for any other name.

    Scripts that one language is written with, as Japanese is with three, do not count as mixed.
    """
    if name.isascii():
        return ()
    found = {scripts for character in name if (scripts := _scripts_of(character))}
    possible = [_augmented(scripts) for scripts in found]
    if not possible or frozenset[str].intersection(*possible):
        return ()
    # Characters of several scripts, such as some digits, only say which ones the others may be.
    certain = {scripts for scripts in found if len(scripts) == 1}
    return tuple(sorted(frozenset[str]().union(*(certain if len(certain) > 1 else found))))


def _augmented(scripts: frozenset[str]) -> frozenset[str]:
    return scripts.union(*(_WRITTEN_TOGETHER.get(script, set()) for script in scripts))


def _scripts_of(character: str) -> frozenset[str]:
    """The scripts in which a character is used; empty: in all, or in none."""
    starts, ranges = _ranges()
    place = bisect_right(starts, ord(character)) - 1
    if place < 0 or ord(character) > ranges[place][0]:
        return frozenset()
    return ranges[place][1]


@cache
def _ranges() -> tuple[list[int], list[tuple[int, frozenset[str]]]]:
    """The first code points of the ranges, and for each the last one and the scripts."""
    text = (resources.files("common.lookalikes") / "scripts.txt").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return [int(first, 16) for first, *_ in lines], [(int(last, 16), frozenset(rest)) for _, last, *rest in lines]
