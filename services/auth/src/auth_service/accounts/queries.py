"""The tables of erasures, which other services have yet to do for deleted accounts, and of imported accounts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from auth_service.accounts.model import Erasure, ImportedAccount
from common.db import Connection, Params
from common.db.rows import count, fetch_all, fetch_one, fetch_value
from common.foreign_passwords import UNKNOWN


async def insert_erasures(
    connection: Connection, account_id: UUID, services: list[str], passes: int, due_at: datetime
) -> None:
    """Record that each of these services has to erase the account's data."""
    statement = """
        insert into erasure (account_id, service, due_at, passes_left)
        select %(account_id)s, service, %(due_at)s, %(passes)s from unnest(%(services)s::text[]) service
    """
    parameters = {"account_id": account_id, "services": services, "passes": passes, "due_at": due_at}
    await connection.execute(statement, parameters)


async def claim_erasures(
    connection: Connection, service: str, now: datetime, retry_at: datetime, limit: int
) -> list[Erasure]:
    """Claim up to `limit` erasures of a service that are due: no other worker takes them before `retry_at`."""
    statement = """
        update erasure set due_at = %(retry_at)s
        where service = %(service)s and account_id = any(array(
            select account_id from erasure where service = %(service)s and due_at <= %(now)s
            order by due_at limit %(limit)s for update skip locked
        ))
        returning account_id, service, passes_left
    """
    parameters = {"service": service, "now": now, "retry_at": retry_at, "limit": limit}
    return await fetch_all(connection, Erasure, statement, parameters)


async def plan_next_passes(connection: Connection, service: str, done: Sequence[Erasure], due_at: datetime) -> None:
    """Record that one pass of each is done and when the next is due. A pass that is recorded twice counts once."""
    statement = """
        update erasure set passes_left = erasure.passes_left - 1, due_at = %(due_at)s
        from unnest(%(accounts)s::uuid[], %(passes)s::smallint[]) as done (account_id, passes_left)
        where service = %(service)s and erasure.account_id = done.account_id
            and erasure.passes_left = done.passes_left
    """
    await connection.execute(statement, {**_columns(done), "service": service, "due_at": due_at})


async def delete_erasures(connection: Connection, service: str, done: Sequence[Erasure]) -> None:
    """Record that the last pass of each is done."""
    statement = """
        delete from erasure
        using unnest(%(accounts)s::uuid[], %(passes)s::smallint[]) as done (account_id, passes_left)
        where service = %(service)s and erasure.account_id = done.account_id
            and erasure.passes_left = done.passes_left
    """
    await connection.execute(statement, {**_columns(done), "service": service})


async def count_erasures(connection: Connection, service: str, now: datetime) -> int:
    """The erasures of a service that are due."""
    statement = "select count(*) from erasure where service = %(service)s and due_at <= %(now)s"
    return await fetch_value(connection, statement, {"service": service, "now": now}) or 0


async def insert_imported(connection: Connection, origin: bytes, account_id: UUID, now: datetime) -> bool:
    """Record that an account is imported; False if it was before. Of two at once, the second waits for the first."""
    statement = """
        insert into imported_account (origin, account_id, imported_at) values (%(origin)s, %(account_id)s, %(now)s)
        on conflict do nothing
    """
    return await count(connection, statement, {"origin": origin, "account_id": account_id, "now": now}) == 1


async def imported_account(connection: Connection, origin: bytes) -> ImportedAccount | None:
    """The account that one of another system became when it was imported."""
    statement = """
        select account.id as account_id, coalesce(name, '') as name,
               coalesce(password_hash <> %(unknown)s, true) as has_password
        from imported_account left join account on account.id = account_id where origin = %(origin)s
    """
    return await fetch_one(connection, ImportedAccount, statement, {"origin": origin, "unknown": UNKNOWN})


async def is_email_taken(connection: Connection, email_key: str) -> bool:
    """Whether an account has this e-mail address."""
    statement = "select 1 from account where email_key = %(email_key)s"
    return await count(connection, statement, {"email_key": email_key}) > 0


def _columns(done: Sequence[Erasure]) -> Params:
    return {
        "accounts": [erasure.account_id for erasure in done],
        "passes": [erasure.passes_left for erasure in done],
    }
