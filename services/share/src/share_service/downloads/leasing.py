"""Taking the uses of files: one download is one lease (docs/adr/0021-one-download-is-one-lease.md).

A use pays for what one client does to get one copy: ranges in parallel, a probe, a restart, the seeking of a player.
The bytes never pass through this service, so it counts the bytes that it grants, in the lease's row.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from common.db import Connection
from common.errors import InvalidInput
from common.ranges import ByteRange
from common.statistics import count
from share_service.context import Context
from share_service.downloads import queries
from share_service.downloads.asks import PROBE_LIMIT, Ask, head_of
from share_service.downloads.keys import BadKey
from share_service.shares.model import LEASE_LIFETIME, Share, ShareEnded
from share_service.shares.queries.owned import lock_share

RESTART_TIME = timedelta(seconds=30)
"""How long after the use a client may fetch the head of the file a second time."""
MOST_COPIES = 16
"""The bytes granted under one lease are at most this many times the size: resumes and seeks ask up to the end."""


class ClientGone(InvalidInput):
    """The client has closed the connection."""

    code = "client_gone"


@dataclass(frozen=True, slots=True)
class Claim:
    """A GET for the content of a share or of an item, by a holder who may have a lease."""

    share: Share
    holder: bytes
    """The client's address or download key, as a digest."""
    ask: Ask
    is_leased: bool
    may_start: bool
    """Whether the client may take a use. An old download key only continues what has a lease."""
    plays: bool
    """Whether browsers play the file: Chromium fetches it as a page first, and then begins again with a range."""
    item_id: UUID = queries.NO_ITEM
    """The item, or the share's own id for all of its items in one archive."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to the bytes of an ask."""

    share: Share
    """The share, after a use was taken if one was due."""
    range: ByteRange | None
    """The only range that may be served; None: what the client's headers say."""


async def grant(context: Context, claim: Claim, now: datetime, is_gone: Callable[[], Awaitable[bool]]) -> Grant:
    """Grant what is asked for: free of charge, under the holder's lease, or by taking a use.

    Raises `ShareEnded`, `BadKey`, and `ClientGone` instead of taking a use for a client that has hung up.
    """
    granted = await _grant(context, claim, now, is_gone)
    count("bytes_out", claim.ask.length)
    return granted


async def _grant(context: Context, claim: Claim, now: datetime, is_gone: Callable[[], Awaitable[bool]]) -> Grant:
    share, ask = claim.share, claim.ask
    own_range = ask.range if share.uses_left is not None else None
    if ask.is_empty or (ask.is_probe and not claim.is_leased and claim.may_start):
        return Grant(share, own_range)
    if claim.item_id != queries.NO_ITEM:
        return await _grant_item(context, claim, now, own_range, is_gone)
    if ask.range is not None:
        async with context.db.connection() as connection:
            covered = await _under_lease(connection, claim, now)
        if covered is not None:
            return Grant(covered, own_range)
    if not claim.may_start:
        raise BadKey
    if await is_gone():
        raise ClientGone
    if ask.range is not None:
        return await _take_use_for_range(context, claim, now, own_range)
    async with context.db.connection() as connection:
        return Grant(await _take_use(connection, claim, ask, now), None)


async def _grant_item(
    context: Context, claim: Claim, now: datetime, own_range: ByteRange | None, is_gone: Callable[[], Awaitable[bool]]
) -> Grant:
    """`grant` for an item: a use that the holder has taken covers each item once, and the next copy takes another."""
    share, ask = claim.share, claim.ask
    if await is_gone():
        raise ClientGone
    async with context.db.transaction() as connection:
        # Requests for several items that arrive together wait here for each other, and find the use that one has taken.
        await lock_share(connection, share.id)
        if ask.range is not None:
            covered = await _under_lease(connection, claim, now)
            if covered is not None:
                return Grant(covered, own_range)
            if ask.is_conditional:
                # As for a share without items.
                ask, own_range = Ask(ask.size), None
        begun = await queries.copies_begun(connection, share.id, claim.holder, claim.item_id, now)
        ends_at = now + LEASE_LIFETIME
        if not begun.has_more:
            if not claim.may_start:
                raise BadKey
            taken = await queries.take_use(connection, share.id, now)
            if taken is None:
                raise ShareEnded
            share = taken
            count("downloads")
            await queries.count_use(connection, share.id, claim.holder, now, ends_at)
        may_restart = claim.plays or claim.ask.range is not None
        await queries.begin_copy(connection, share.id, claim.holder, claim.item_id, ask, may_restart, now, ends_at)
    return Grant(share, own_range)


async def _take_use_for_range(context: Context, claim: Claim, now: datetime, own_range: ByteRange | None) -> Grant:
    ask = claim.ask
    async with context.db.transaction() as connection:
        # Of ranges that arrive together, the first takes a use, and the others wait here for its lease.
        await lock_share(connection, claim.share.id)
        covered = await _under_lease(connection, claim, now)
        if covered is not None:
            return Grant(covered, own_range)
        if ask.is_conditional:
            # The store may answer with the whole, to which this client has a right.
            ask, own_range = Ask(ask.size), None
        return Grant(await _take_use(connection, claim, ask, now), own_range)


async def _under_lease(connection: Connection, claim: Claim, now: datetime) -> Share | None:
    """The share, if the holder's lease covers the claim; the bytes are then counted in the lease."""
    ask, head = claim.ask, head_of(claim.ask.size)
    # A player may have asked for a byte or two before it begins again.
    probe = min(PROBE_LIMIT, head // 2)
    bounds = queries.LeaseBounds(MOST_COPIES * ask.size, head, 2 * head + probe, now - RESTART_TIME)
    return await queries.grant_on_lease(connection, claim.holder, claim.share.id, claim.item_id, ask, now, bounds)


async def _take_use(connection: Connection, claim: Claim, ask: Ask, now: datetime) -> Share:
    """Take a use, and give the holder a lease that begins with `ask`. Returns the share after it."""
    may_restart, ends_at = claim.plays or claim.ask.range is not None, now + LEASE_LIFETIME
    taken = await queries.take_use_on_lease(connection, claim.share.id, claim.holder, ask, may_restart, now, ends_at)
    if taken is None:
        raise ShareEnded
    count("downloads")
    return taken
