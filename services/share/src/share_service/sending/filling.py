"""The contents of items: the upload service sends them in, and says what becomes of each upload.

What it says may be lost with a process. So everybody who looks at an item whose content is under way asks, and a sweep
does, and whatever is said is recorded in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from common import clock
from share_service.context import Context
from share_service.items.model import (
    ABANDONED,
    LOOK_AGAIN,
    Item,
    ItemComplete,
    Progress,
    TicketInvalid,
    advanced,
)
from share_service.items.queries import held
from share_service.items.tickets import SenderKeys
from share_service.shares.model import Share, ShareEnded
from share_service.shares.queries.ending import files_wanted
from share_service.shares.queries.made import share_of_id

SESSION_LIMIT = 5000
"""The most uploads that are asked about in one call."""


@dataclass(frozen=True, slots=True)
class Place:
    """An item that waits for its content, and the share that it belongs to."""

    item: Item
    share: Share


async def place_of_ticket(context: Context, ticket: str) -> Place:
    """The item whose content may be sent with this ticket. Raises `TicketInvalid`, `ShareEnded`, `ItemComplete`."""
    item_id = SenderKeys(context.key_secret).item_of(ticket)
    if item_id is None:
        raise TicketInvalid
    async with context.db.connection() as connection:
        item = await held.item_of_id(connection, item_id)
        share = await share_of_id(connection, item.share_id) if item else None
    if item is None or share is None or item.state == "removed" or item.kind != "file":
        raise TicketInvalid
    if not share.is_resumable(clock.now()):
        raise ShareEnded(share.ended_for)
    if item.state not in ("waiting", "failed"):
        raise ItemComplete
    if not await goes_without_account(context, share):
        raise TicketInvalid
    return Place(item, share)


async def goes_without_account(context: Context, share: Share) -> bool:
    """Whether the share's key and its tickets are good: those of a suspended account are not, until it is restored.

    Whoever sends to a drop-off is not its owner, and keeps them. Raises `Unavailable`.
    """
    return share.owner is None or share.drop_id is not None or not await context.is_suspended(share.owner)


async def bind_upload(context: Context, item_id: UUID, session_id: UUID) -> UUID | None:
    """Say which upload brings the content of an item. Returns the one that was to bring it before.

    Raises `TicketInvalid`, `ItemComplete`.
    """
    async with context.db.transaction() as connection:
        found = await held.lock_items(connection, [item_id])
        if not found or found[0].state == "removed":
            raise TicketInvalid
        item = found[0]
        if item.session_id == session_id:
            return None
        if item.state not in ("waiting", "failed"):
            raise ItemComplete
        bound = replace(item, state="waiting", session_id=session_id, file_id=None)
        await held.update_item(connection, bound, clock.now() + LOOK_AGAIN)
        return item.session_id


async def record_progress(context: Context, item_id: UUID, session_id: UUID, progress: Progress) -> bool:
    """Record what became of an upload. Returns whether the item still wants its content, or a share serves its file."""
    async with context.db.transaction() as connection:
        found = await held.lock_items(connection, [item_id])
        item = found[0] if found else None
        share = await share_of_id(connection, item.share_id) if item else None
        is_lasting = share is not None and share.is_resumable(clock.now())
        if item is None or not is_lasting or item.session_id != session_id or item.state in ("removed", "failed"):
            file_ids = [progress.file_id] if progress.file_id else []
            return bool(await files_wanted(connection, file_ids))
        after = advanced(item, progress)
        if after != item:
            pause = ABANDONED if after.session_id is None else LOOK_AGAIN
            await held.update_item(connection, after, clock.now() + pause)
    return True


async def progress_of(context: Context, items: Sequence[Item]) -> dict[UUID, Progress]:
    """The progress of the uploads of items whose content is under way, by the ids of the items; recorded too.

    Raises `Unavailable`.
    """
    asked = {item.session_id: item for item in items if item.is_open and item.session_id}
    found: dict[UUID, Progress] = {}
    session_ids = sorted(session_id.hex for session_id in asked)
    for first in range(0, len(session_ids), SESSION_LIMIT):
        body = {"session_ids": session_ids[first : first + SESSION_LIMIT]}
        answer = await context.upload.call("POST", "/internal/uploads/progress", body)
        for session_id, said in answer["uploads"].items():
            item, progress = asked[UUID(session_id)], progress_from(said)
            found[item.id] = progress
            if advanced(item, progress) != item:
                await record_progress(context, item.id, UUID(session_id), progress)
    return found


def progress_from(said: Mapping[str, Any]) -> Progress:
    """Read what the upload service says about an upload."""
    return Progress(
        said["stage"],
        said["received"],
        UUID(said["file_id"]) if said["file_id"] else None,
        bytes.fromhex(said["sha256"]) if said["sha256"] else None,
    )
