"""Statements about the kept filters of the list."""

from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one
from share_service.administration.model import Preset

_COLUMNS: LiteralString = "id, name, filters, created_at, changed_at"


async def lock_presets(connection: Connection) -> None:
    """Keep others from adding presets until the transaction ends."""
    await connection.execute("lock table list_preset in share row exclusive mode")


async def list_presets(connection: Connection) -> list[Preset]:
    """All presets, of which there are few, the oldest first."""
    return await fetch_all(connection, Preset, f"select {_COLUMNS} from list_preset order by id", {})


async def insert_preset(connection: Connection, name: str, filters: dict[str, Any], now: datetime) -> Preset:
    """Add a preset."""
    statement: LiteralString = f"""
        insert into list_preset (name, filters, created_at, changed_at)
        values (%(name)s, %(filters)s, %(now)s, %(now)s) returning {_COLUMNS}
    """
    parameters = {"name": name, "filters": Jsonb(filters), "now": now}
    made = await fetch_one(connection, Preset, statement, parameters)
    assert made is not None, "an insert returns its row"
    return made


async def update_preset(
    connection: Connection, preset_id: int, name: str, filters: dict[str, Any], now: datetime
) -> Preset | None:
    """Replace a preset; None if there is none with this id."""
    statement: LiteralString = f"""
        update list_preset set name = %(name)s, filters = %(filters)s, changed_at = %(now)s where id = %(id)s
        returning {_COLUMNS}
    """
    parameters = {"id": preset_id, "name": name, "filters": Jsonb(filters), "now": now}
    return await fetch_one(connection, Preset, statement, parameters)


async def delete_preset(connection: Connection, preset_id: int) -> bool:
    """Whether there was a preset with this id."""
    return await count(connection, "delete from list_preset where id = %(id)s", {"id": preset_id}) == 1
