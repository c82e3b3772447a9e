"""The Lua scripts. A script is sent with the shared texts that it builds on in front of it."""

from collections.abc import Iterable
from importlib import resources

from redis.asyncio import Redis
from redis.commands.core import AsyncScript


def load(redis: Redis, names: Iterable[str], begin_with: Iterable[str]) -> dict[str, AsyncScript]:
    """The scripts with these names, each after the shared texts `begin_with`."""
    folder = resources.files(__name__)
    shared = "".join((folder / f"{name}.lua").read_text(encoding="utf-8") for name in begin_with)
    return {
        name: redis.register_script(shared + (folder / f"{name}.lua").read_text(encoding="utf-8")) for name in names
    }
