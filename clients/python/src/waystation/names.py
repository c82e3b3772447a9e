"""The names under which received files are kept: names come from strangers, and never lead out of a folder."""

import unicodedata

LIMIT = 200
"""The most bytes (UTF-8) of a name, so that there is room for what a partial file's name adds."""
UNNAMED = "unnamed"
# Control and format characters (those that turn the direction of a text), separators of lines, lone surrogates.
_DROPPED = ("Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn")
_FORBIDDEN = '<>:"|?*'
_RESERVED = {
    *("con", "prn", "aux", "nul", "conin$", "conout$"),
    *(f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"),
}


def safe_name(sent: str) -> str:
    """The last component of `sent` as a name that is harmless on every system, at the beginning of a line, and hidden
    from nobody: it does not begin with a dot."""
    last = sent.replace("\\", "/").rstrip("/").rpartition("/")[2]
    kept = "".join(character for character in last if unicodedata.category(character) not in _DROPPED)
    kept = "".join("_" if character in _FORBIDDEN else character for character in kept)
    kept = shortened(kept.lstrip(" .").rstrip(" .")).rstrip(" .")
    if not kept:
        return UNNAMED
    if kept.partition(".")[0].rstrip().casefold() in _RESERVED:
        return f"_{kept}"
    return kept


def shortened(name: str, limit: int = LIMIT) -> str:
    """`name` cut to `limit` bytes of UTF-8, with its extension."""
    if len(name.encode()) <= limit:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > limit // 4:
        stem, dot, extension = name, "", ""
    return stem.encode()[: limit - len((dot + extension).encode())].decode(errors="ignore") + dot + extension


def numbered(name: str, number: int) -> str:
    """The name of a file whose own name is taken: `a (2).txt`."""
    stem, dot, extension = name.rpartition(".")
    return f"{stem} ({number}).{extension}" if dot and stem else f"{name} ({number})"


def for_terminal(text: str) -> str:
    """A stranger's text as one line that no terminal takes for commands."""
    return "".join(" " if unicodedata.category(character) in _DROPPED else character for character in text)
