"""Statements that make and find shares."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one
from common.expiry import Expiry
from share_service.shares.model import ContentKind, Made, Share, ShareKind
from share_service.shares.queries.columns import NAMED, SHARE


async def insert_share(
    connection: Connection,
    *,
    id: UUID,  # noqa: A002
    kind: ShareKind,
    code: str,
    content_kind: ContentKind,
    origin: str | None,
    owner: UUID | None,
    password_hash: str | None,
    file_id: UUID | None,
    name: str,
    size: int,
    body: str | None,
    expiry: Expiry,
    now: datetime,
    title: str | None,
    message: str | None,
    drop_id: UUID | None,
    spelling: str | None,
    request_digest: bytes | None,
) -> bool:
    """Add an active share; False if its code or its origin exists already."""
    statement: LiteralString = """
        insert into share (id, form, code, kind, origin, owner, password_hash, file_id, name, size, body, expires_at,
                           uses_left, created_at, title, message, drop_id, spelling,
                           request_digest)
        values (%(id)s, %(kind)s, %(code)s, %(content_kind)s, %(origin)s, %(owner)s, %(password_hash)s, %(file_id)s,
                %(name)s, %(size)s, %(body)s, %(expires_at)s, %(uses)s, %(now)s, %(title)s, %(message)s,
                %(drop_id)s, %(spelling)s, %(request_digest)s)
        on conflict do nothing
    """
    parameters = {
        "id": id,
        "kind": kind,
        "code": code,
        "content_kind": content_kind,
        "origin": origin,
        "owner": owner,
        "password_hash": password_hash,
        "file_id": file_id,
        "name": name,
        "size": size,
        "body": body,
        "expires_at": expiry.at,
        "uses": expiry.uses,
        "now": now,
        "title": title,
        "message": message,
        "drop_id": drop_id,
        "spelling": spelling,
        "request_digest": request_digest,
    }
    return await count(connection, statement, parameters) == 1


async def set_used_count(connection: Connection, share_id: UUID, used_count: int) -> None:
    """Say how often a share was redeemed before it came here."""
    await connection.execute(
        "update share set used_count = %(used_count)s where id = %(id)s", {"id": share_id, "used_count": used_count}
    )


async def share_of_origin(connection: Connection, origin: str) -> Made | None:
    """The share with this origin, ended or not."""
    statement: LiteralString = "select id, code, created_at, request_digest from share where origin = %(origin)s"
    return await fetch_one(connection, Made, statement, {"origin": origin})


async def share_of_code(connection: Connection, kind: ShareKind, code: str) -> Share | None:
    """The share with this code, link or slug, in any state."""
    statement: LiteralString = f"select {SHARE} from share where {NAMED}"
    return await fetch_one(connection, Share, statement, {"code": code, "kind": kind})


async def share_of_id(connection: Connection, share_id: UUID) -> Share | None:
    """The share with this id, in any state."""
    statement: LiteralString = f"select {SHARE} from share where id = %(share_id)s"
    return await fetch_one(connection, Share, statement, {"share_id": share_id})


async def files_held(connection: Connection, file_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these files that a share holds and has not given back."""
    statement: LiteralString = """
        select distinct file_id from share where file_id = any(%(file_ids)s) and state <> 'released'
    """
    return await fetch_all(connection, _file_id, statement, {"file_ids": list(file_ids)})


async def update_names(connection: Connection, file_id: UUID, name: str) -> None:
    """Give all shares of a file its new name."""
    # The same order everywhere, so that of two statements that change the same shares one waits for the other.
    statement: LiteralString = """
        update share set name = %(name)s where id = any(array(
            select id from share where file_id = %(file_id)s and state <> 'released' order by id for update
        ))
    """
    await connection.execute(statement, {"file_id": file_id, "name": name})


async def recount_sizes(connection: Connection, share_ids: Sequence[UUID]) -> None:
    """Write the sizes of these shares of items, after their items changed."""
    statement: LiteralString = """
        update share set size = (
            select coalesce(sum(item.size), 0) from item where share_id = share.id and item.state <> 'removed')
        where id = any(array(
            select id from share where id = any(%(share_ids)s) and kind = 'items' order by id for update
        ))
    """
    await connection.execute(statement, {"share_ids": list(share_ids)})


def _file_id(file_id: UUID) -> UUID:
    return file_id
