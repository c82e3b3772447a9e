"""SQL on the health of mirrors: probes, the breaker, and the room for more work. One function, one statement."""

from datetime import timedelta
from typing import LiteralString

from common.db import Connection
from common.db.rows import fetch_value

# Mirrors that may be asked for something now, and for how many things at once: after a failure for one at a time.
ASKED: LiteralString = "(is_enabled or removed_at is not null) and (open_until is null or open_until <= now())"
AT_ONCE: LiteralString = "(case when failures > 0 then 1 else parallel end)"


async def has_room(connection: Connection, mirror_id: int) -> bool:
    """Whether the mirror may be asked for one thing more."""
    statement: LiteralString = f"""
        select true from mirror
        where id = %(id)s and {ASKED}
            and {AT_ONCE} > (select count(*) from replica where mirror_id = %(id)s and lease_until >= now())
    """
    return bool(await fetch_value(connection, statement, {"id": mirror_id}))


async def note_probe(connection: Connection, mirror_id: int, error: str | None) -> None:
    """Record the result of a probe."""
    await connection.execute(
        "update mirror set probed_at = now(), probe_error = %(error)s where id = %(id)s",
        {"id": mirror_id, "error": error},
    )


async def note_success(connection: Connection, mirror_id: int) -> None:
    """Close the breaker of a mirror that did what it was asked."""
    await connection.execute(
        """
        update mirror set failures = 0, open_until = null
        where id = %(id)s and (failures > 0 or open_until is not null)
        """,
        {"id": mirror_id},
    )


async def note_failure(connection: Connection, mirror_id: int) -> int:
    """Count a failure of the mirror itself. Returns the number of failures in a row, or 0 while the breaker is open.

    Work that was under way when the breaker opened fails with it, and tells nothing new.
    """
    statement = """
        update mirror set failures = failures + 1
        where id = %(id)s and (open_until is null or open_until <= now())
        returning failures
    """
    return await fetch_value(connection, statement, {"id": mirror_id}) or 0


async def open_breaker(connection: Connection, mirror_id: int, wait: timedelta) -> None:
    """Leave the mirror alone for a while."""
    await connection.execute(
        "update mirror set open_until = now() + %(wait)s where id = %(id)s", {"id": mirror_id, "wait": wait}
    )


async def end_break(connection: Connection, mirror_id: int) -> None:
    """Let the mirror be tried again now, with one thing at a time until that succeeds."""
    await connection.execute("update mirror set open_until = null where id = %(id)s", {"id": mirror_id})
