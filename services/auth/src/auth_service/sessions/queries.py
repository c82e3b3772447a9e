"""The tables of sessions, and of the addresses that have signed in to accounts."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from auth_service.directory.model import Account
from auth_service.directory.queries import ACCOUNT, account_of_row
from auth_service.sessions.model import Session, SessionKind
from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value
from common.identity import Identity, Role

_COLUMNS: LiteralString = "id, account_id, kind, label, opaque_digest, created_at, expires_at"
_IDENTITY: LiteralString = """
    select account.id as account_id, account.name, account.role, session.id as credential_id, session.expires_at
    from session join account on account.id = session.account_id and account.suspended_at is null
"""

# The SHA-256 of an account's id and an address.
_DIGEST: LiteralString = "sha256(uuid_send(%(account_id)s::uuid) || convert_to(%(address)s, 'UTF8'))"


def _session(kind: str, **row: Any) -> Session:
    return Session(kind=SessionKind(kind), **row)


def _identity(role: str, **row: Any) -> Identity:
    return Identity(role=Role(role), **row)


def _account_and_address(is_known: bool, **row: Any) -> tuple[Account, bool]:
    return account_of_row(**row), is_known


async def insert_session(connection: Connection, session: Session, others: int) -> list[Session]:
    """Add a session, and delete the account's oldest ones until `others` are left beside it. Returns the deleted."""
    statement: LiteralString = f"""
        with added as (
            insert into session (id, account_id, kind, label, opaque_digest, created_at, expires_at)
            values (%(id)s, %(account_id)s, %(kind)s, %(label)s, %(opaque_digest)s, %(created_at)s, %(expires_at)s)
        )
        -- It does not see the row that is added.
        delete from session where id = any(array(
            select id from session where account_id = %(account_id)s order by created_at desc, id offset %(others)s
        )) returning {_COLUMNS}
    """
    return await fetch_all(connection, _session, statement, {**asdict(session), "others": others})


async def identity_of_session(connection: Connection, session_id: UUID) -> Identity | None:
    """The account behind the session that a signed token names."""
    statement: LiteralString = f"{_IDENTITY} where session.id = %(session_id)s and session.kind = 'token'"
    return await fetch_one(connection, _identity, statement, {"session_id": session_id})


async def identity_of_opaque(connection: Connection, digest: bytes) -> Identity | None:
    """The account behind the opaque token with this digest."""
    statement: LiteralString = f"{_IDENTITY} where session.opaque_digest = %(digest)s"
    return await fetch_one(connection, _identity, statement, {"digest": digest})


async def sessions_of_account(connection: Connection, account_id: UUID, now: datetime) -> list[Session]:
    """The account's sessions that have not expired, the newest first."""
    statement: LiteralString = f"""
        select {_COLUMNS} from session
        where account_id = %(account_id)s and (expires_at is null or expires_at > %(now)s)
        order by created_at desc, id
    """
    return await fetch_all(connection, _session, statement, {"account_id": account_id, "now": now})


async def delete_session(connection: Connection, account_id: UUID, session_id: UUID) -> Session | None:
    """Delete one session of the account and return it; None when it does not exist."""
    statement: LiteralString = f"""
        delete from session where account_id = %(account_id)s and id = %(session_id)s returning {_COLUMNS}
    """
    return await fetch_one(connection, _session, statement, {"account_id": account_id, "session_id": session_id})


async def delete_sessions(connection: Connection, account_id: UUID, keep: UUID | None) -> list[Session]:
    """Delete all sessions of the account but `keep`, and return them."""
    statement: LiteralString = f"""
        delete from session where account_id = %(account_id)s and id is distinct from %(keep)s returning {_COLUMNS}
    """
    return await fetch_all(connection, _session, statement, {"account_id": account_id, "keep": keep})


async def delete_opaque_sessions(connection: Connection, account_id: UUID) -> list[Session]:
    """Delete the account's sessions with opaque tokens, and return them."""
    statement: LiteralString = f"""
        delete from session where account_id = %(account_id)s and kind = 'opaque' returning {_COLUMNS}
    """
    return await fetch_all(connection, _session, statement, {"account_id": account_id})


async def delete_expired(connection: Connection, now: datetime, limit: int) -> int:
    """Delete up to `limit` expired sessions. Returns how many."""
    statement = """
        delete from session where id = any(array(
            select id from session where expires_at <= %(now)s limit %(limit)s for update skip locked
        ))
    """
    return await count(connection, statement, {"now": now, "limit": limit})


async def count_expired(connection: Connection, now: datetime) -> int:
    """The number of expired sessions."""
    return await fetch_value(connection, "select count(*) from session where expires_at <= %(now)s", {"now": now}) or 0


async def account_and_address(
    connection: Connection, name_key: str, address: str, seen_after: datetime
) -> tuple[Account, bool] | None:
    """The account with this name, and whether this address has signed in to it since that moment."""
    statement: LiteralString = f"""
        select {ACCOUNT}, exists (
            select from known_address
            where account_id = account.id and seen_at > %(seen_after)s
                and address_digest = sha256(uuid_send(account.id) || convert_to(%(address)s, 'UTF8'))
        ) as is_known
        from account where name_key = %(name_key)s
    """
    parameters = {"name_key": name_key, "address": address, "seen_after": seen_after}
    return await fetch_one(connection, _account_and_address, statement, parameters)


async def is_known_address(connection: Connection, account_id: UUID, address: str, seen_after: datetime) -> bool:
    """Whether this address has signed in to the account since that moment."""
    statement: LiteralString = f"""
        select 1 from known_address
        where account_id = %(account_id)s and address_digest = {_DIGEST} and seen_at > %(seen_after)s
    """
    parameters = {"account_id": account_id, "address": address, "seen_after": seen_after}
    return await count(connection, statement, parameters) == 1


async def remember_address(connection: Connection, account_id: UUID, address: str, now: datetime) -> None:
    """Remember that this address signed in to the account."""
    statement: LiteralString = f"""
        insert into known_address (account_id, address_digest, seen_at) values (%(account_id)s, {_DIGEST}, %(now)s)
        on conflict (account_id, address_digest) do update set seen_at = excluded.seen_at
    """
    await connection.execute(statement, {"account_id": account_id, "address": address, "now": now})


async def forget_addresses(connection: Connection, seen_before: datetime, limit: int) -> int:
    """Forget up to `limit` addresses that have not signed in since that moment. Returns how many."""
    statement = """
        delete from known_address where ctid = any(array(
            select ctid from known_address where seen_at <= %(seen_before)s limit %(limit)s for update skip locked
        ))
    """
    return await count(connection, statement, {"seen_before": seen_before, "limit": limit})


async def count_addresses(connection: Connection, seen_before: datetime) -> int:
    """The number of addresses that have not signed in since that moment."""
    statement = "select count(*) from known_address where seen_at <= %(seen_before)s"
    return await fetch_value(connection, statement, {"seen_before": seen_before}) or 0
