"""Temporary names, for mirrors that show a file from its first byte: it is renamed when it is whole.

Each attempt has its own name, because a server may still be storing what it received of an earlier attempt that its
sender has given up. What a killed process leaves is removed when the same path is next written or deleted.
"""

import secrets

FOLDER = ".unfinished"


def new_name(path: str) -> str:
    """A path below the mirror's root for one attempt to write `path`."""
    return f"{FOLDER}/{_prefix(path)}{secrets.token_hex(8)}"


def is_attempt(name: str, path: str) -> bool:
    """Whether a file of this name in the folder is an attempt to write `path`."""
    return name.startswith(_prefix(path))


def _prefix(path: str) -> str:
    return path.replace("/", "-") + "."
