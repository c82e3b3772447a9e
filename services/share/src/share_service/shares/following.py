"""How shares follow what happens in other services: to files in upload, to accounts in auth, to messages in chat."""

from collections.abc import Sequence
from uuid import UUID

from common import clock
from share_service.context import Context
from share_service.items.queries import held as items
from share_service.shares.model import EndedFor
from share_service.shares.queries import ending, made
from share_service.webhooks.queries import delete_webhooks_of

END_BATCH = 5000


async def end_shares_of_files(context: Context, file_ids: Sequence[UUID], ended_for: EndedFor | None) -> None:
    """End all shares of these files, including those that are made meanwhile, and remove the items that have them."""
    ended = 1
    while ended:
        now = clock.now()
        async with context.db.transaction() as connection:
            ended = await ending.end_of_files(connection, file_ids, now, ended_for)
            # Every change of a share of items locks the share first.
            await ending.lock_shares(connection, await items.shares_with_files(connection, file_ids))
            share_ids = await items.remove_of_files(connection, file_ids, now)
            await made.recount_sizes(connection, share_ids)
            await ending.end_emptied(connection, share_ids, now)
        ended += len(share_ids)


async def end_shares_of_owner(context: Context, owner: UUID) -> None:
    """End all drop-offs and shares of an account, including those that are made meanwhile.

    Its webhooks hear nothing of it.
    """
    async with context.db.transaction() as connection:
        await delete_webhooks_of(connection, owner)
        await ending.end_drops(connection, owner, clock.now())
    ended = 1
    while ended:
        async with context.db.transaction() as connection:
            ended = await ending.end_of_owner(connection, owner, clock.now(), END_BATCH)


async def revoke_shares(context: Context, share_ids: Sequence[UUID]) -> None:
    """End these shares, whoever owns them; ended and unknown ones are ignored.

    The caller vouches for its right to do so: chat knows that each was posted by its owner in a room that ends.
    """
    async with context.db.transaction() as connection:
        await ending.end_of_ids(connection, share_ids, clock.now())


async def rename_shares(context: Context, file_id: UUID, name: str) -> None:
    """Give all shares of a file, and all items, its new name."""
    async with context.db.transaction() as connection:
        await made.update_names(connection, file_id, name)
        await items.rename_of_file(connection, file_id, name)


async def held_files(context: Context, file_ids: Sequence[UUID]) -> list[UUID]:
    """Those of these files that a share still holds."""
    async with context.db.connection() as connection:
        held = await made.files_held(connection, file_ids)
        return list({*held, *await items.files_of_items(connection, file_ids)})
