"""Statements about the shares of accounts."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one
from common.pages import Cursor
from share_service.shares.model import Serving, Share
from share_service.shares.queries.columns import SHARE


async def lock_share(connection: Connection, share_id: UUID) -> Share | None:
    """The share with this id, locked until the transaction ends."""
    statement: LiteralString = f"select {SHARE} from share where id = %(share_id)s for update"
    return await fetch_one(connection, Share, statement, {"share_id": share_id})


async def keep_share_of_file(connection: Connection, file_id: UUID, account: UUID, now: datetime) -> Serving | None:
    """A file as a share serves it, preferably the account's own; the share cannot end before the transaction does."""
    statement: LiteralString = """
        select owner, name, size from share
        where file_id = %(file_id)s and state in ('active', 'spent') and (expires_at is null or expires_at > %(now)s)
        order by owner = %(account)s desc nulls last, created_at desc limit 1 for share
    """
    return await fetch_one(connection, Serving, statement, {"file_id": file_id, "account": account, "now": now})


async def keep_share_of_item(connection: Connection, file_id: UUID, account: UUID, now: datetime) -> Serving | None:
    """The same for a file that is an item of a share."""
    statement: LiteralString = """
        select share.owner, item.name, item.size from item join share on share.id = share_id
        where item.file_id = %(file_id)s and item.state = 'ready' and share.state in ('active', 'spent')
            and (share.expires_at is null or share.expires_at > %(now)s)
        order by share.owner = %(account)s desc nulls last, share.created_at desc limit 1 for share of share
    """
    return await fetch_one(connection, Serving, statement, {"file_id": file_id, "account": account, "now": now})


async def keep_shares_of_files(connection: Connection, file_ids: Sequence[UUID]) -> None:
    """Keep the shares that serve these files, by themselves or as items, from ending before the transaction does."""
    statement: LiteralString = """
        select from share where state in ('active', 'spent') and id = any(array(
            select id from share where file_id = any(%(file_ids)s) and state <> 'released'
            union select share_id from item where file_id = any(%(file_ids)s)
        )) order by id for share
    """
    await connection.execute(statement, {"file_ids": list(file_ids)})


async def shares_of_owner(connection: Connection, owner: UUID, after: Cursor | None, limit: int) -> list[Share]:
    """Up to `limit` shares of an account that come after the cursor, in any state, the newest first."""
    # A condition that also held without a cursor would keep a prepared statement from beginning at the cursor.
    further: LiteralString = "and (created_at, id) < (%(created_at)s, %(id)s)" if after else ""
    statement: LiteralString = f"""
        select {SHARE} from share where owner = %(owner)s {further}
        order by created_at desc, id desc limit %(limit)s
    """
    parameters = {
        "owner": owner,
        "created_at": after.created_at if after else None,
        "id": after.id if after else None,
        "limit": limit,
    }
    return await fetch_all(connection, Share, statement, parameters)


async def links_of_owner(connection: Connection, owner: UUID, now: datetime, limit: int) -> list[Share]:
    """The newest `limit` links of an account that can be redeemed, the oldest of them first."""
    statement: LiteralString = f"""
        select * from (
            select {SHARE} from share
            where owner = %(owner)s and form = 'link' and state = 'active'
                and (expires_at is null or expires_at > %(now)s)
            order by created_at desc, id desc limit %(limit)s
        ) newest
        order by created_at, id
    """
    return await fetch_all(connection, Share, statement, {"owner": owner, "now": now, "limit": limit})


async def update_share(connection: Connection, share: Share) -> None:
    """Write the fields that an owner may change. A share that has been given uses again becomes active."""
    statement: LiteralString = """
        update share set name = %(name)s, title = %(title)s, message = %(message)s, expires_at = %(expires_at)s,
            password_hash = %(password_hash)s,
            uses_left = %(uses_left)s, state = %(state)s,
            ended_at = case when %(state)s = 'active' then null else ended_at end,
            release_due_at = case when %(state)s = 'active' then null else release_due_at end
        where id = %(id)s
    """
    parameters = {
        "id": share.id,
        "name": share.name,
        "title": share.title,
        "message": share.message,
        "expires_at": share.expires_at,
        "password_hash": share.password_hash,
        "uses_left": share.uses_left,
        "state": share.state,
    }
    await connection.execute(statement, parameters)


async def update_code(connection: Connection, share_id: UUID, code: str, spelling: str | None) -> bool:
    """Give a share another code; False if it is taken. The transaction goes on."""
    statement: LiteralString = "update share set code = %(code)s, spelling = %(spelling)s where id = %(share_id)s"
    try:
        async with connection.transaction():
            await connection.execute(statement, {"share_id": share_id, "code": code, "spelling": spelling})
    except UniqueViolation:
        return False
    return True


async def set_owner(connection: Connection, share_id: UUID, owner: UUID) -> bool:
    """Give a share that belongs to nobody to an account; False if it belongs to another one, or has ended."""
    statement: LiteralString = """
        update share set owner = %(owner)s
        where id = %(share_id)s and (owner is null or owner = %(owner)s) and state in ('active', 'spent')
    """
    return await count(connection, statement, {"share_id": share_id, "owner": owner}) == 1
