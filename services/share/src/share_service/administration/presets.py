"""Filters and orders of the list that administrators keep under names, for all of them."""

from typing import Any

from common import clock
from common.audit import Author
from common.errors import Conflict, NotFound
from share_service.administration.model import Preset
from share_service.administration.queries import presets as queries
from share_service.context import Context

PRESETS_AT_MOST = 24


class TooManyPresets(Conflict):
    """There are as many kept filters as there may be."""

    code = "too_many_presets"


async def list_presets(context: Context, author: Author) -> list[Preset]:
    """All presets, the oldest first. Raises `Forbidden`."""
    author.require_administrator()
    async with context.db.connection() as connection:
        return await queries.list_presets(connection)


async def add_preset(context: Context, author: Author, name: str, filters: dict[str, Any]) -> Preset:
    """Keep a filter. Raises `Forbidden`, `TooManyPresets`."""
    author.require_administrator()
    async with context.db.transaction() as connection:
        await queries.lock_presets(connection)
        if len(await queries.list_presets(connection)) >= PRESETS_AT_MOST:
            raise TooManyPresets
        return await queries.insert_preset(connection, name, filters, clock.now())


async def replace_preset(
    context: Context, author: Author, preset_id: int, name: str, filters: dict[str, Any]
) -> Preset:
    """Replace a kept filter. Raises `Forbidden`, `NotFound`."""
    author.require_administrator()
    async with context.db.connection() as connection:
        found = await queries.update_preset(connection, preset_id, name, filters, clock.now())
    if found is None:
        raise NotFound
    return found


async def delete_preset(context: Context, author: Author, preset_id: int) -> bool:
    """Whether there was a preset with this id, which is gone now. Raises `Forbidden`."""
    author.require_administrator()
    async with context.db.connection() as connection:
        return await queries.delete_preset(connection, preset_id)
