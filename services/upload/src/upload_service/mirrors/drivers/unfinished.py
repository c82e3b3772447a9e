"""Where files are written, on mirrors that show them from their first byte: aside, to be renamed when they are whole.

Each attempt has a name of its own. A server may still be storing what it received of the attempt before, which its
sender has long given up. What a killed process leaves is removed when the same path is written or deleted next.
"""

import secrets

FOLDER = ".unfinished"


def new_name(path: str) -> str:
    """A path, below the mirror's root, for one attempt at writing `path`."""
    return f"{FOLDER}/{_prefix(path)}{secrets.token_hex(8)}"


def is_attempt(name: str, path: str) -> bool:
    """Whether a file of that name in the folder is an attempt at writing `path`."""
    return name.startswith(_prefix(path))


def _prefix(path: str) -> str:
    return path.replace("/", "-") + "."
