"""The table of accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from auth_service.directory.model import VISIT_PAUSE, Account
from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one
from common.identity import Role
from common.pages import Cursor

# Any constant will do, as long as every process uses the same.
ADMINISTRATOR_LOCK = 0x57415956

ACCOUNT: LiteralString = (
    "id, name, email, password_hash, role, profile, created_at, suspended_at, suspended_for, last_seen_at"
)
"""The columns of `account_of_row`."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be added."""

    id: UUID
    name: str
    name_key: str
    name_skeleton: str
    email: str | None
    email_key: str | None
    password_hash: str
    role: Role
    profile: Mapping[str, Any]
    created_at: datetime


def account_of_row(role: str, **row: Any) -> Account:
    """An account from its columns."""
    return Account(role=Role(role), **row)


def _named(id: UUID, name: str) -> tuple[UUID, str]:  # noqa: A002  (a column)
    return id, name


def _number(number: int) -> int:
    return number


async def insert_account(connection: Connection, new: NewAccount) -> Account | None:
    """Add an account; None when its name or its e-mail address is taken.

    Of two at once, the second waits for the first to be committed.
    """
    statement: LiteralString = f"""
        insert into account (id, name, name_key, name_skeleton, email, email_key, password_hash, role, profile,
                             created_at)
        values (%(id)s, %(name)s, %(name_key)s, %(name_skeleton)s, %(email)s, %(email_key)s, %(password_hash)s,
                %(role)s, %(profile)s, %(created_at)s)
        on conflict do nothing
        returning {ACCOUNT}
    """
    return await fetch_one(connection, account_of_row, statement, {**asdict(new), "profile": Jsonb(dict(new.profile))})


async def account_of_id(connection: Connection, account_id: UUID) -> Account | None:
    """The account with this id."""
    statement: LiteralString = f"select {ACCOUNT} from account where id = %(account_id)s"
    return await fetch_one(connection, account_of_row, statement, {"account_id": account_id})


async def lock_account(connection: Connection, account_id: UUID) -> Account | None:
    """The account, locked until the transaction ends: nobody else changes it or its credentials meanwhile."""
    statement: LiteralString = f"select {ACCOUNT} from account where id = %(account_id)s for update"
    return await fetch_one(connection, account_of_row, statement, {"account_id": account_id})


async def account_of_name(connection: Connection, name_key: str) -> Account | None:
    """The account with this name."""
    statement: LiteralString = f"select {ACCOUNT} from account where name_key = %(name_key)s"
    return await fetch_one(connection, account_of_row, statement, {"name_key": name_key})


async def accounts_of_ids(connection: Connection, account_ids: Sequence[UUID]) -> list[Account]:
    """Those of these accounts that exist, in no particular order."""
    statement: LiteralString = f"select {ACCOUNT} from account where id = any(%(account_ids)s)"
    return await fetch_all(connection, account_of_row, statement, {"account_ids": list(account_ids)})


async def count_accounts(connection: Connection) -> int:
    """The number of accounts."""
    return await fetch_one(connection, _number, "select count(*) as number from account", {}) or 0


async def list_accounts(connection: Connection, after: Cursor | None, limit: int) -> list[Account]:
    """Up to `limit` accounts, the newest first, beginning after the row at `after`."""
    further: LiteralString = "where (created_at, id) < (%(created_at)s, %(id)s)" if after else ""
    statement: LiteralString = f"""
        select {ACCOUNT} from account {further}
        order by created_at desc, id desc limit %(limit)s
    """
    return await fetch_all(
        connection,
        account_of_row,
        statement,
        {"created_at": after and after.created_at, "id": after and after.id, "limit": limit},
    )


async def rename(connection: Connection, account_id: UUID, name: str, name_key: str, name_skeleton: str) -> bool:
    """Give an account another name; False when it is taken, and then the transaction has failed."""
    statement = """
        update account set name = %(name)s, name_key = %(name_key)s, name_skeleton = %(name_skeleton)s
        where id = %(account_id)s
    """
    parameters = {"account_id": account_id, "name": name, "name_key": name_key, "name_skeleton": name_skeleton}
    try:
        await connection.execute(statement, parameters)
    except UniqueViolation:
        return False
    return True


async def accounts_without_skeleton(connection: Connection, limit: int) -> list[tuple[UUID, str]]:
    """The ids and names of up to `limit` accounts whose skeletons are not computed, the oldest first, locked."""
    statement = """
        select id, name from account where name_skeleton is null order by created_at limit %(limit)s
        for update skip locked
    """
    return await fetch_all(connection, _named, statement, {"limit": limit})


async def set_skeleton(connection: Connection, account_id: UUID, name_skeleton: str) -> None:
    """Record the skeleton of an account's name, or that another account has it."""
    statement = """
        update account set name_skeleton = case
            when exists (select from account where name_skeleton = %(name_skeleton)s and name_skeleton <> '') then ''
            else %(name_skeleton)s end
        where id = %(account_id)s
    """
    await connection.execute(statement, {"account_id": account_id, "name_skeleton": name_skeleton})


async def count_without_skeleton(connection: Connection) -> int:
    """The number of accounts whose skeletons are not computed."""
    return (
        await fetch_one(connection, _number, "select count(*) as number from account where name_skeleton is null", {})
        or 0
    )


async def set_password(connection: Connection, account_id: UUID, old_hash: str, new_hash: str) -> bool:
    """Replace a password's hash, unless another request has already replaced it."""
    statement = """
        update account set password_hash = %(new_hash)s where id = %(account_id)s and password_hash = %(old_hash)s
    """
    parameters = {"account_id": account_id, "old_hash": old_hash, "new_hash": new_hash}
    return await count(connection, statement, parameters) == 1


async def set_email(connection: Connection, account_id: UUID, email: str, email_key: str) -> bool:
    """Give an account another e-mail address; False when it is taken, and then the transaction has failed."""
    statement = "update account set email = %(email)s, email_key = %(email_key)s where id = %(account_id)s"
    try:
        await connection.execute(statement, {"account_id": account_id, "email": email, "email_key": email_key})
    except UniqueViolation:
        return False
    return True


async def change_profile(connection: Connection, account_id: UUID, changes: Mapping[str, str]) -> None:
    """Set these values of an account's profile and leave its others as they are."""
    statement = "update account set profile = profile || %(changes)s where id = %(account_id)s"
    await connection.execute(statement, {"account_id": account_id, "changes": Jsonb(dict(changes))})


async def set_standing(connection: Connection, changed: Account) -> None:
    """Store the role of an account, and whether it is suspended."""
    statement = """
        update account set role = %(role)s, suspended_at = %(suspended_at)s, suspended_for = %(suspended_for)s
        where id = %(id)s
    """
    parameters = {
        "id": changed.id,
        "role": changed.role,
        "suspended_at": changed.suspended_at,
        "suspended_for": changed.suspended_for,
    }
    await connection.execute(statement, parameters)


async def note_visit(connection: Connection, account_id: UUID, now: datetime) -> None:
    """Record that an account is in use, unless it was recorded within the last `VISIT_PAUSE`.

    It is left out while others change the account, so that nobody waits for them.
    """
    statement = """
        update account set last_seen_at = %(now)s where id = (
            select id from account
            where id = %(account_id)s and (last_seen_at is null or last_seen_at < %(before)s) for update skip locked
        )
    """
    await connection.execute(statement, {"account_id": account_id, "now": now, "before": now - VISIT_PAUSE})


async def lock_administrators(connection: Connection) -> None:
    """Keep others from making or removing administrators until the transaction ends. Lock this before any account."""
    await connection.execute("select pg_advisory_xact_lock(%(lock)s)", {"lock": ADMINISTRATOR_LOCK})


async def count_administrators(connection: Connection) -> int:
    """The number of administrators who are not suspended."""
    statement = "select 1 from account where role = 'administrator' and suspended_at is null"
    return await count(connection, statement, {})


async def delete_account(connection: Connection, account_id: UUID) -> None:
    """Delete an account with its sessions, keys and known addresses."""
    await connection.execute("delete from account where id = %(account_id)s", {"account_id": account_id})
