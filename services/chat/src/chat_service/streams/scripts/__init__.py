"""The Lua scripts. A script is sent with the shared texts that it builds on in front of it."""

from collections.abc import Iterable
from importlib import resources


def load(names: Iterable[str], begin_with: Iterable[str]) -> dict[str, str]:
    """The texts of the scripts with these names, each after the shared texts `begin_with`."""
    folder = resources.files(__name__)
    shared = "".join((folder / f"{name}.lua").read_text(encoding="utf-8") for name in begin_with)
    return {name: shared + (folder / f"{name}.lua").read_text(encoding="utf-8") for name in names}
