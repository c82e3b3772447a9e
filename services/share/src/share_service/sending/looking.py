"""The sweep of items whose content is due: it asks what became of their uploads, and gives up what nobody sends."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace

from common import clock
from common.db import Connection
from common.sweeping import Sweep, drain
from share_service.context import Context
from share_service.items.model import LOOK_AGAIN, Item
from share_service.items.queries import held, leaving
from share_service.sending.filling import progress_of
from share_service.shares import sweeping
from share_service.shares.queries import ending

BATCH = 500


async def sweep(context: Context) -> None:
    """Run all sweeps of shares and of their items."""
    await drain(context, SWEEPS)


async def look_at_items(context: Context) -> int:
    """Look at items whose content is due. A share of which nothing is to be had any more ends."""
    now = clock.now()
    async with context.db.transaction() as connection:
        due = await leaving.claim_looks(connection, now, now + LOOK_AGAIN, BATCH)
    failed = [item for item in due if item.state == "failed"]
    await _end_emptied(context, failed)
    given_up = [item for item in due if item.state != "failed" and item.session_id is None]
    await _give_up(context, given_up)
    await progress_of(context, due)
    return len(due)


async def _end_emptied(context: Context, failed: Sequence[Item]) -> None:
    """End the shares of which these were the last items, and look at the items no more."""
    async with context.db.transaction() as connection:
        share_ids = sorted({item.share_id for item in failed})
        await ending.lock_shares(connection, share_ids)
        await ending.end_emptied(connection, share_ids, clock.now())
        await leaving.forget_failed(connection, [item.id for item in failed])


async def _give_up(context: Context, items: Sequence[Item]) -> None:
    """Do not wait any longer for items whose upload nobody has begun, unless somebody has meanwhile."""
    async with context.db.transaction() as connection:
        # Shares are locked before their items, as everywhere; an item may complete its share, which takes another lock.
        await ending.lock_shares(connection, [item.share_id for item in items])
        for item in await held.lock_items(connection, [item.id for item in items]):
            if item.state == "waiting" and item.session_id is None:
                await held.update_item(connection, replace(item, state="failed"), clock.now())


def _count_due(connection: Connection) -> Awaitable[int]:
    return leaving.count_looks(connection, clock.now())


SWEEPS = (*sweeping.SWEEPS, Sweep("items to look at", look_at_items, _count_due))
