"""The tables of invitations and of links to set a new password.

A link of somebody who is no administrator any more, or suspended, is void: nothing that a lost right made may be used.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from auth_service.links.model import Invitation, Reset
from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value
from common.identity import Role
from common.pages import Cursor

_INVITATION: LiteralString = "id, role, note, created_by, created_at, expires_at, used_by, used_at"
_MAKER: LiteralString = """exists (
    select from account where id = created_by and role = 'administrator' and suspended_at is null)"""
_OPEN: LiteralString = f"digest = %(digest)s and used_by is null and expires_at > %(now)s and {_MAKER}"
_VALID: LiteralString = f"digest = %(digest)s and expires_at > %(now)s and {_MAKER}"


def _invitation(role: str, **row: Any) -> Invitation:
    return Invitation(role=Role(role), **row)


async def insert_invitation(connection: Connection, invitation: Invitation, digest: bytes, at_most: int) -> bool:
    """Add an invitation; False if `at_most` are open."""
    statement = """
        insert into invitation (id, digest, role, note, created_by, created_at, expires_at)
        select %(id)s, %(digest)s, %(role)s, %(note)s, %(created_by)s, %(created_at)s, %(expires_at)s
        where (select count(*) from invitation where expires_at > %(created_at)s and used_by is null) < %(at_most)s
    """
    return await count(connection, statement, {**asdict(invitation), "digest": digest, "at_most": at_most}) == 1


async def open_invitation(connection: Connection, digest: bytes, now: datetime) -> Invitation | None:
    """The invitation with this digest, if it may be used."""
    statement: LiteralString = f"select {_INVITATION} from invitation where {_OPEN}"
    return await fetch_one(connection, _invitation, statement, {"digest": digest, "now": now})


async def use_invitation(connection: Connection, digest: bytes, account_id: UUID, now: datetime) -> Invitation | None:
    """Use an invitation up for an account; None if it may not be used. Of two at once, one gets it."""
    statement: LiteralString = f"""
        update invitation set used_by = %(account_id)s, used_at = %(now)s where {_OPEN} returning {_INVITATION}
    """
    return await fetch_one(connection, _invitation, statement, {"digest": digest, "account_id": account_id, "now": now})


async def list_invitations(connection: Connection, after: Cursor | None, limit: int) -> list[Invitation]:
    """Up to `limit` invitations that come after the cursor, the newest first."""
    further: LiteralString = "where (created_at, id) < (%(created_at)s, %(id)s)" if after else ""
    statement: LiteralString = f"""
        select {_INVITATION} from invitation {further} order by created_at desc, id desc limit %(limit)s
    """
    parameters = {"created_at": after and after.created_at, "id": after and after.id, "limit": limit}
    return await fetch_all(connection, _invitation, statement, parameters)


async def delete_invitation(connection: Connection, invitation_id: UUID) -> Invitation | None:
    """Delete an invitation that was not used, and return it."""
    statement: LiteralString = f"""
        delete from invitation where id = %(invitation_id)s and used_by is null returning {_INVITATION}
    """
    return await fetch_one(connection, _invitation, statement, {"invitation_id": invitation_id})


async def forget_invitations(connection: Connection, before: datetime, limit: int) -> int:
    """Forget up to `limit` invitations whose time was over before that moment. Returns how many."""
    statement = """
        delete from invitation where id = any(array(
            select id from invitation where expires_at <= %(before)s limit %(limit)s for update skip locked
        ))
    """
    return await count(connection, statement, {"before": before, "limit": limit})


async def count_forgotten(connection: Connection, before: datetime) -> int:
    """The number of invitations whose time was over before that moment."""
    statement = "select count(*) from invitation where expires_at <= %(before)s"
    return await fetch_value(connection, statement, {"before": before}) or 0


async def put_reset(
    connection: Connection, reset: Reset, digest: bytes, created_by: UUID, expires_at: datetime
) -> None:
    """Give an account a link, in place of an earlier one."""
    statement = """
        insert into password_reset (id, account_id, digest, password_digest, created_by, expires_at)
        values (%(id)s, %(account_id)s, %(digest)s, %(password_digest)s, %(created_by)s, %(expires_at)s)
        on conflict (account_id) do update set id = excluded.id, digest = excluded.digest,
            password_digest = excluded.password_digest, created_by = excluded.created_by,
            expires_at = excluded.expires_at
    """
    parameters = {**asdict(reset), "digest": digest, "created_by": created_by, "expires_at": expires_at}
    await connection.execute(statement, parameters)


async def valid_reset(connection: Connection, digest: bytes, now: datetime) -> Reset | None:
    """The link with this digest, if it may be used."""
    statement: LiteralString = f"select id, account_id, password_digest from password_reset where {_VALID}"
    return await fetch_one(connection, Reset, statement, {"digest": digest, "now": now})


async def use_reset(connection: Connection, digest: bytes, now: datetime) -> Reset | None:
    """Use a link up; None if it may not be used. Of two at once, one gets it."""
    statement: LiteralString = f"delete from password_reset where {_VALID} returning id, account_id, password_digest"
    return await fetch_one(connection, Reset, statement, {"digest": digest, "now": now})


async def forget_resets(connection: Connection, now: datetime, limit: int) -> int:
    """Delete up to `limit` links whose time is over. Returns how many."""
    statement = """
        delete from password_reset where id = any(array(
            select id from password_reset where expires_at <= %(now)s limit %(limit)s for update skip locked
        ))
    """
    return await count(connection, statement, {"now": now, "limit": limit})


async def count_resets(connection: Connection, now: datetime) -> int:
    """The number of links whose time is over."""
    statement = "select count(*) from password_reset where expires_at <= %(now)s"
    return await fetch_value(connection, statement, {"now": now}) or 0
