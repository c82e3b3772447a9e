"""The Lua scripts. Each is what it says, after the text that its kind begins with."""

from collections.abc import Iterable
from importlib import resources

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

LIVE_KEY = "rooms:live"


def load(redis: Redis, names: Iterable[str], begin_with: Iterable[str]) -> dict[str, AsyncScript]:
    """The scripts of these names, each after the texts `begin_with`."""
    folder = resources.files(__name__)
    shared = "".join((folder / f"{name}.lua").read_text(encoding="utf-8") for name in begin_with)
    return {
        name: redis.register_script(shared + (folder / f"{name}.lua").read_text(encoding="utf-8")) for name in names
    }


def keys(room_id: int) -> list[str]:
    """The keys that every script is given."""
    room = f"room:{room_id}"
    return [room, f"{room}:messages", f"{room}:edits", f"{room}:log", LIVE_KEY]


def presence_keys(room_id: int) -> list[str]:
    """The keys of a room that tell who is connected."""
    return [f"room:{room_id}:present", f"room:{room_id}:names"]
