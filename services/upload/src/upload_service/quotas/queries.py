"""SQL on sums and on accounts' own limits: one function, one statement."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value, fetch_values
from upload_service.quotas.model import Counted, Most

GUESTS, PLACE = UUID(int=0), UUID(int=2**128 - 1)
"""The owners that are no accounts."""


async def usage_of_accounts(connection: Connection, accounts: Sequence[UUID]) -> list[Counted]:
    """The sums of accounts, in this order, also of those that have nothing."""
    statement = """
        select wanted.owner, coalesce(usage.bytes, 0) + changed.bytes as bytes,
            coalesce(usage.files, 0) + changed.files as files, reserving.bytes as reserved_bytes,
            account is not null as has_own_limits, account_quota.bytes as most_bytes, account_quota.files as most_files
        from unnest(%(accounts)s::uuid[]) with ordinality as wanted (owner, place)
        left join usage on usage.owner = wanted.owner
        left join account_quota on account = wanted.owner
        cross join lateral (
            select coalesce(sum(bytes), 0)::bigint as bytes, coalesce(sum(files), 0)::bigint as files
            from usage_change where usage_change.owner = wanted.owner) changed
        cross join lateral (
            select coalesce(sum(reserved), 0)::bigint as bytes from upload_session
            where upload_session.owner = wanted.owner and state = 'open') reserving
        order by place
    """
    return await fetch_all(connection, Counted, statement, {"accounts": list(accounts)})


async def usage_of_all(connection: Connection) -> tuple[Counted, Counted]:
    """The sums of guests, and of the place."""
    statement = """
        with changed as (
            select coalesce(sum(bytes), 0)::bigint as bytes, coalesce(sum(files), 0)::bigint as files,
                coalesce(sum(bytes) filter (where owner = %(guests)s), 0)::bigint as guest_bytes,
                coalesce(sum(files) filter (where owner = %(guests)s), 0)::bigint as guest_files
            from usage_change),
        reserving as (
            select coalesce(sum(reserved), 0)::bigint as bytes,
                coalesce(sum(reserved) filter (where owner is null), 0)::bigint as guest_bytes
            from upload_session where state = 'open')
        select wanted.owner,
            coalesce(usage.bytes, 0) + case when is_place then changed.bytes else guest_bytes_changed end as bytes,
            coalesce(usage.files, 0) + case when is_place then changed.files else guest_files end as files,
            case when is_place then reserving.bytes else reserving.guest_bytes end as reserved_bytes,
            false as has_own_limits, null::bigint as most_bytes, null::bigint as most_files
        from (values (%(guests)s::uuid, false), (%(place)s::uuid, true)) wanted (owner, is_place)
        left join usage on usage.owner = wanted.owner
        cross join lateral (
            select bytes, files, guest_bytes as guest_bytes_changed, guest_files from changed) changed
        cross join reserving
        order by is_place
    """
    guests, place = await fetch_all(connection, Counted, statement, {"guests": GUESTS, "place": PLACE})
    return guests, place


async def largest_accounts(
    connection: Connection, after: tuple[int, UUID] | None, limit: int
) -> list[tuple[int, UUID]]:
    """Accounts that have something, with the bytes that were summed up last, the largest first."""
    further: LiteralString = "and (bytes, owner) < (%(bytes)s, %(id)s)" if after else ""
    statement: LiteralString = f"""
        select bytes, owner from usage where owner <> %(guests)s and owner <> %(place)s {further}
        order by bytes desc, owner desc limit %(limit)s
    """
    values = {"guests": GUESTS, "place": PLACE, "bytes": after and after[0], "id": after and after[1], "limit": limit}
    return await fetch_all(connection, _ranked, statement, values)


def _ranked(bytes: int, owner: UUID) -> tuple[int, UUID]:  # noqa: A002  (a column)
    return bytes, owner


async def count_accounts(connection: Connection) -> int:
    """The number of accounts that have something."""
    statement = "select count(*) from usage where owner <> %(guests)s and owner <> %(place)s"
    return await fetch_value(connection, statement, {"guests": GUESTS, "place": PLACE}) or 0


async def own_limits(connection: Connection, account: UUID) -> Most | None:
    """The account's own limits, held until the end of the transaction; None if it has none."""
    statement = "select bytes, files from account_quota where account = %(account)s for update"
    return await fetch_one(connection, Most, statement, {"account": account})


async def set_limits(connection: Connection, account: UUID, most: Most) -> None:
    """Give an account limits of its own."""
    await connection.execute(
        """
        insert into account_quota (account, bytes, files) values (%(account)s, %(bytes)s, %(files)s)
        on conflict (account) do update set bytes = excluded.bytes, files = excluded.files
        """,
        {"account": account, "bytes": most.bytes, "files": most.files},
    )


async def delete_limits(connection: Connection, account: UUID) -> None:
    """Let the policy's limits hold for an account again."""
    await connection.execute("delete from account_quota where account = %(account)s", {"account": account})


async def sum_up(connection: Connection, limit: int) -> int:
    """Add changes to the sums; returns their number.

    Rows of sums are held in the order of their owners, so that nobody who holds one waits for another in a circle.
    """
    statement = """
        with gone as (
            delete from usage_change where ctid = any(array(select ctid from usage_change limit %(limit)s))
            returning owner, bytes, files),
        summed as (
            select owner, sum(bytes) as bytes, sum(files) as files from gone group by owner
            union all select %(place)s::uuid, sum(bytes), sum(files) from gone having count(*) > 0),
        added as (
            insert into usage (owner, bytes, files) select * from summed order by owner
            on conflict (owner) do update set bytes = usage.bytes + excluded.bytes,
                files = usage.files + excluded.files)
        select count(*) from gone
    """
    return await fetch_value(connection, statement, {"limit": limit, "place": PLACE}) or 0


async def forget_empty(connection: Connection, limit: int) -> int:
    """Delete the sums of accounts that have nothing; returns their number."""
    statement = """
        delete from usage where owner = any(array(
            select owner from usage
            where bytes = 0 and files = 0 and owner <> %(guests)s and owner <> %(place)s limit %(limit)s
            for update skip locked))
    """
    return await count(connection, statement, {"guests": GUESTS, "place": PLACE, "limit": limit})


async def count_changes(connection: Connection) -> int:
    """The number of changes that are to be summed up."""
    return await fetch_value(connection, "select count(*) from usage_change", {}) or 0


async def correct(connection: Connection) -> list[UUID]:
    """Compare the sums with all files and open uploads, and correct those that differ; returns their owners.

    The statement sees one moment, so changes that go on meanwhile neither disturb it nor get lost.
    """
    statement = """
        with differing as (
            select owner, sum(bytes) as bytes, sum(files) as files from (
                select owner, bytes, files from counted
                union all select owner, -bytes, -files from usage where owner <> %(place)s
                union all select owner, -bytes, -files from usage_change) as difference
            group by owner having sum(bytes) <> 0 or sum(files) <> 0),
        corrected as (
            insert into usage_change (owner, bytes, files) select owner, bytes, files from differing),
        difference_of_place as (
            select
                (select coalesce(sum(bytes), 0) from usage where owner <> %(place)s) - bytes as bytes,
                (select coalesce(sum(files), 0) from usage where owner <> %(place)s) - files as files
            from usage where owner = %(place)s),
        corrected_place as (
            update usage set bytes = usage.bytes + difference_of_place.bytes,
                files = usage.files + difference_of_place.files
            from difference_of_place
            where owner = %(place)s and (difference_of_place.bytes <> 0 or difference_of_place.files <> 0))
        select owner from differing
        union all select %(place)s::uuid from difference_of_place where bytes <> 0 or files <> 0
    """
    return await fetch_values(connection, statement, {"place": PLACE})
