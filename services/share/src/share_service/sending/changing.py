"""Changing a share of items: its terms, and what it has."""

from collections.abc import Sequence
from uuid import UUID

from common import clock
from common.db import Connection
from common.errors import Conflict, Forbidden, NotFound
from common.identity import Identity
from common.rights import Action, Actor, Standing, require, standings
from share_service.context import Context
from share_service.items.model import UnknownItem
from share_service.items.queries import held
from share_service.sending.creating import NAMELESS, add_items, new_items
from share_service.sending.model import Announced, check_sizes
from share_service.shares.model import Share, ShareEnded
from share_service.shares.owning import Changes, change_share
from share_service.shares.queries import ending, made, owned


class NoItems(Conflict):
    """This share was made of one content, and cannot get others."""

    code = "no_items"


async def change_terms(context: Context, actor: Actor, share_id: UUID, changes: Changes) -> Share:
    """Change a share; one of items is named after its title. Raises as `change_share`."""
    async with context.db.connection() as connection:
        share = await made.share_of_id(connection, share_id)
    if share is not None and share.drop_id and Standing.OWNER not in standings(actor, share.owner):
        raise Forbidden("what was sent by a drop-off is its owner's")
    if share is not None and share.content_kind == "items" and "title" in changes:
        changes = changes.copy()
        changes["name"] = changes["title"] or NAMELESS
    return await change_share(context, actor, share_id, changes)


async def add_to_share(
    context: Context, actor: Actor, identity: Identity | None, share_id: UUID, announced: Sequence[Announced]
) -> Share:
    """Add items to a share that has not ended.

    Raises `NotFound`, `Forbidden`, `NoItems`, `ShareEnded`, `TooManyItems`, and what `new_items` raises.
    """
    policy = await context.policy.current()
    new = await new_items(context, identity, announced, policy)
    async with context.db.transaction() as connection:
        share = await _locked(connection, actor, share_id)
        if share.drop_id:
            raise NoItems("what was sent by a drop-off stays as it was sent")
        check_sizes(new, policy, await held.held_by_share(connection, share_id))
        await add_items(connection, share_id, new, clock.now())
        await made.recount_sizes(connection, [share_id])
        changed = await made.share_of_id(connection, share_id)
    assert changed is not None, "its row is locked"
    return changed


async def remove_from_share(context: Context, actor: Actor, share_id: UUID, item_id: UUID) -> None:
    """Remove an item; its upload is aborted, or its file released, by a sweep. A share ends with its last item.

    Raises `NotFound`, `Forbidden`, `NoItems`, `ShareEnded`, `UnknownItem`.
    """
    async with context.db.transaction() as connection:
        now = clock.now()
        await _locked(connection, actor, share_id)
        if not await held.remove_item(connection, share_id, item_id, now):
            raise UnknownItem
        await made.recount_sizes(connection, [share_id])
        await ending.end_emptied(connection, [share_id], now)


async def _locked(connection: Connection, actor: Actor, share_id: UUID) -> Share:
    share = await owned.lock_share(connection, share_id)
    if share is None:
        raise NotFound
    require(Action.EDIT, actor, share.owner)
    if share.content_kind != "items":
        raise NoItems
    if not share.is_resumable(clock.now()):
        raise ShareEnded(share.ended_for)
    return share
