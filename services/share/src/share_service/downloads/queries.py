"""Statements that redeem shares."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import fetch_one
from share_service.downloads.asks import Ask
from share_service.shares.model import Share, ShareKind
from share_service.shares.queries.columns import NAMED, SHARE

NO_ITEM = UUID(int=0)
"""Stands for the content of a share without items."""

# Of two redemptions of the last use at once, the second waits for the first and then finds nothing.
_TAKE_USE: LiteralString = f"""
    update share set
        uses_left = uses_left - 1,
        used_count = used_count + 1,
        state = case when uses_left > 1 or uses_left is null then state when kind = 'text' then 'ended'
                else 'spent' end,
        ended_at = case when uses_left = 1 then %(now)s else ended_at end,
        release_due_at = case when uses_left = 1 then %(now)s else release_due_at end
    where id = %(share_id)s and state = 'active' and (uses_left is null or uses_left > 0)
        and (expires_at is null or expires_at > %(now)s)
    returning {SHARE}
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A share, and whether a holder has a lease on it."""

    share: Share
    is_leased: bool


@dataclass(frozen=True, slots=True)
class Copies:
    """The items of a share that a holder has begun to fetch, within its leases."""

    uses: int
    """The uses that it took."""
    archives: int
    """How often it fetched all items as one archive."""
    copies: int
    """How often it fetched the item, or for the archive, the item that it fetched most often."""

    @property
    def has_more(self) -> bool:
        """Whether its uses cover another copy."""
        return self.archives + self.copies < self.uses


@dataclass(frozen=True, slots=True)
class LeaseBounds:
    """The bytes that a lease covers, for a file of a certain size."""

    most_bytes: int
    """The most bytes in all."""
    head: int
    """The length of the head."""
    most_head_bytes: int
    """The most bytes of the head, for a lease whose use was taken after `restarts_after`."""
    restarts_after: datetime


async def share_with_lease(
    connection: Connection, kind: ShareKind, code: str, holder: bytes, now: datetime
) -> Found | None:
    """The share with this code, link or slug in any state, and whether `holder` has a lease on it."""
    statement: LiteralString = f"""
        select {SHARE}, exists (
            select from lease where share_id = share.id and holder = %(holder)s and lease.expires_at > %(now)s
        ) as is_leased
        from share where {NAMED}
    """
    parameters = {"kind": kind, "code": code, "holder": holder, "now": now}
    return await fetch_one(connection, _found, statement, parameters)


async def take_use(connection: Connection, share_id: UUID, now: datetime) -> Share | None:
    """Take a use and return the share as it is afterwards; None if no use is left."""
    return await fetch_one(connection, Share, _TAKE_USE, {"share_id": share_id, "now": now})


async def take_use_on_lease(
    connection: Connection,
    share_id: UUID,
    holder: bytes,
    ask: Ask,
    may_restart: bool,
    now: datetime,
    lease_expires_at: datetime,
) -> Share | None:
    """`take_use`, and give `holder` a lease that begins with this ask; neither if no use is left."""
    statement: LiteralString = f"""
        with taken as ({_TAKE_USE}), leased as (
            insert into lease (share_id, holder, expires_at, started_at, granted, head_granted,
                               may_restart)
            select id, %(holder)s, %(lease_expires_at)s, %(now)s, %(length)s, %(head_length)s,
                   %(may_restart)s
            from taken
            on conflict (share_id, holder, item_id) do update set
                expires_at = excluded.expires_at, started_at = excluded.started_at, granted = excluded.granted,
                head_granted = excluded.head_granted, may_restart = excluded.may_restart
        )
        select * from taken
    """
    parameters = {
        "share_id": share_id,
        "holder": holder,
        "length": ask.length,
        "head_length": ask.head_length,
        "may_restart": may_restart,
        "now": now,
        "lease_expires_at": lease_expires_at,
    }
    return await fetch_one(connection, Share, statement, parameters)


async def grant_on_lease(
    connection: Connection, holder: bytes, share_id: UUID, item_id: UUID, ask: Ask, now: datetime, bounds: LeaseBounds
) -> Share | None:
    """Add an ask to the lease of `holder` on an item and return the share.

    None if there is no lease, or it does not cover this. It covers the head of the file once at any time. It covers the
    head again for a restart soon after the use, but the first byte again only for a client that may restart.
    """
    statement: LiteralString = f"""
        with covered as (
            update lease set granted = granted + %(length)s, head_granted = head_granted + %(head_length)s
            where share_id = %(share_id)s and holder = %(holder)s and item_id = %(item_id)s and expires_at > %(now)s
                and granted + %(length)s <= %(most_bytes)s
                and (
                    %(head_length)s = 0
                    or head_granted + %(head_length)s <= %(head)s
                    or (
                        started_at > %(restarts_after)s and head_granted + %(head_length)s <= %(most_head_bytes)s
                        and (may_restart or not %(is_from_start)s)
                    )
                )
            returning share_id
        )
        select {SHARE} from share
        where id = %(share_id)s and exists (select from covered)
    """
    parameters = {
        "share_id": share_id,
        "holder": holder,
        "item_id": item_id,
        "length": ask.length,
        "head_length": ask.head_length,
        "is_from_start": ask.is_from_start,
        "now": now,
        "most_bytes": bounds.most_bytes,
        "head": bounds.head,
        "most_head_bytes": bounds.most_head_bytes,
        "restarts_after": bounds.restarts_after,
    }
    return await fetch_one(connection, Share, statement, parameters)


async def copies_begun(connection: Connection, share_id: UUID, holder: bytes, item_id: UUID, now: datetime) -> Copies:
    """The uses of a share of items that `holder` has taken, and what was fetched for them."""
    statement: LiteralString = """
        select coalesce(max(copies) filter (where item_id = %(no_item)s), 0) as uses,
            coalesce(max(copies) filter (where item_id = share_id), 0) as archives,
            coalesce(max(copies) filter (where item_id not in (%(no_item)s, share_id)
                and (item_id = %(item_id)s or %(item_id)s = share_id)), 0) as copies
        from lease where share_id = %(share_id)s and holder = %(holder)s and expires_at > %(now)s
    """
    parameters = {"share_id": share_id, "holder": holder, "item_id": item_id, "no_item": NO_ITEM, "now": now}
    found = await fetch_one(connection, Copies, statement, parameters)
    assert found is not None, "an aggregate has a row"
    return found


async def count_use(connection: Connection, share_id: UUID, holder: bytes, now: datetime, expires_at: datetime) -> None:
    """Count a use of a share of items that `holder` has taken."""
    statement: LiteralString = """
        insert into lease (share_id, holder, item_id, expires_at)
        values (%(share_id)s, %(holder)s, %(no_item)s, %(expires_at)s)
        on conflict (share_id, holder, item_id) do update
            set copies = case when lease.expires_at > %(now)s then lease.copies + 1 else 1 end,
                expires_at = %(expires_at)s
    """
    parameters = {"share_id": share_id, "holder": holder, "no_item": NO_ITEM, "now": now, "expires_at": expires_at}
    await connection.execute(statement, parameters)


async def begin_copy(
    connection: Connection,
    share_id: UUID,
    holder: bytes,
    item_id: UUID,
    ask: Ask,
    may_restart: bool,
    now: datetime,
    lease_expires_at: datetime,
) -> None:
    """Give `holder` a lease on an item that begins with this ask; the uses that it took are remembered as long."""
    statement: LiteralString = """
        with kept as (
            update lease set expires_at = %(lease_expires_at)s
            where share_id = %(share_id)s and holder = %(holder)s and item_id = %(no_item)s
        )
        insert into lease (share_id, holder, item_id, expires_at, started_at, granted, head_granted, may_restart)
        values (%(share_id)s, %(holder)s, %(item_id)s, %(lease_expires_at)s, %(now)s, %(length)s, %(head_length)s,
                %(may_restart)s)
        on conflict (share_id, holder, item_id) do update set
            copies = case when lease.expires_at > %(now)s then lease.copies + 1 else 1 end,
            expires_at = excluded.expires_at, started_at = excluded.started_at, granted = excluded.granted,
            head_granted = excluded.head_granted, may_restart = excluded.may_restart
    """
    parameters = {
        "share_id": share_id,
        "holder": holder,
        "item_id": item_id,
        "no_item": NO_ITEM,
        "length": ask.length,
        "head_length": ask.head_length,
        "may_restart": may_restart,
        "now": now,
        "lease_expires_at": lease_expires_at,
    }
    await connection.execute(statement, parameters)


async def erase_body(connection: Connection, share_id: UUID) -> None:
    """Erase the text of a share."""
    await connection.execute("update share set body = null where id = %(share_id)s", {"share_id": share_id})


def _found(is_leased: bool, **share: Any) -> Found:
    return Found(Share(**share), is_leased)
