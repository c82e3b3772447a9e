"""SQL on the wishes for a removed mirror and the replicas on it, all of them. One function, one statement."""

from typing import LiteralString

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_value
from upload_service.mirrors.model import Mirror
from upload_service.mirrors.queries.mirrors import COLUMNS

# Nothing leads back from here. A late removal removes nothing that was copied since, as each replica has its own path.
END: LiteralString = """state = 'removing', blob_id = null, due_at = now(), attempts = 0, error = null,
    changed_at = now()"""
# Named one by one, so that an index leads to them past those that have ended.
_LASTING: LiteralString = "state = any(array['queued', 'copying', 'verified', 'failed'])"


async def removed_mirrors(connection: Connection) -> list[Mirror]:
    """The mirrors that are being removed."""
    statement: LiteralString = f"select {COLUMNS} from mirror where removed_at is not null order by id"
    return await fetch_all(connection, Mirror, statement, {})


async def delete_some_wishes(connection: Connection, mirror_id: int, limit: int) -> int:
    """Want up to `limit` files on this mirror no longer; returns their number."""
    statement = """
        delete from file_mirror where mirror_id = %(id)s and file_id = any(array(
            select file_id from file_mirror where mirror_id = %(id)s limit %(limit)s for update skip locked))
    """
    return await count(connection, statement, {"id": mirror_id, "limit": limit})


async def end_some(connection: Connection, mirror_id: int, limit: int) -> int:
    """End up to `limit` replicas on a mirror, which are still to be removed; returns their number."""
    statement: LiteralString = f"""
        update replica set {END} where id = any(array(
            select id from replica where mirror_id = %(id)s and {_LASTING} limit %(limit)s for update skip locked))
    """
    return await count(connection, statement, {"id": mirror_id, "limit": limit})


async def forget_some(connection: Connection, mirror_id: int, limit: int) -> int:
    """Forget up to `limit` replicas on a mirror, whatever is there; returns their number."""
    statement = """
        delete from replica where id = any(array(
            select id from replica where mirror_id = %(id)s limit %(limit)s for update skip locked))
    """
    return await count(connection, statement, {"id": mirror_id, "limit": limit})


async def count_left(connection: Connection) -> int:
    """The number of wishes and replicas that are to be removed, ended or forgotten."""
    statement: LiteralString = f"""
        select sum(number) from mirror
        cross join lateral (
            select count(*) as number from file_mirror where mirror_id = mirror.id
            union all
            select count(*) from replica where mirror_id = mirror.id and (is_forgotten or {_LASTING})) as waiting
        where removed_at is not null
    """
    return int(await fetch_value(connection, statement, {}) or 0)
