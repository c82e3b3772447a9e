"""The table of erasures: the data of deleted accounts that other services have yet to erase."""

from datetime import datetime
from uuid import UUID

from auth_service.accounts.model import Erasure
from common.db import Connection
from common.db.rows import fetch_all


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


async def claim_erasures(connection: Connection, now: datetime, retry_at: datetime, limit: int) -> list[Erasure]:
    """Claim up to `limit` erasures that are due: no other worker takes them before `retry_at`."""
    statement = """
        update erasure set due_at = %(retry_at)s
        where (account_id, service) in (
            select account_id, service from erasure where due_at <= %(now)s
            order by due_at limit %(limit)s for update skip locked
        )
        returning account_id, service, passes_left
    """
    return await fetch_all(connection, Erasure, statement, {"now": now, "retry_at": retry_at, "limit": limit})


async def plan_next_pass(connection: Connection, done: Erasure, due_at: datetime) -> None:
    """Record that one pass is done and when the next is due. A pass that is recorded twice counts once."""
    statement = """
        update erasure set passes_left = passes_left - 1, due_at = %(due_at)s
        where account_id = %(account_id)s and service = %(service)s and passes_left = %(passes)s
    """
    parameters = {"account_id": done.account_id, "service": done.service, "passes": done.passes_left}
    await connection.execute(statement, {**parameters, "due_at": due_at})


async def delete_erasure(connection: Connection, done: Erasure) -> None:
    """Record that the last pass is done."""
    statement = """
        delete from erasure
        where account_id = %(account_id)s and service = %(service)s and passes_left = %(passes)s
    """
    parameters = {"account_id": done.account_id, "service": done.service, "passes": done.passes_left}
    await connection.execute(statement, parameters)
