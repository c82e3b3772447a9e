"""The items of a share, with the progress of each: the same for those who send and those who fetch."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from common.errors import Unavailable
from common.identity import Identity
from share_service.context import Context
from share_service.items.model import Item, ItemKind, Progress, advanced
from share_service.items.queries.held import items_of_share
from share_service.items.tickets import SenderKeys
from share_service.sending.filling import goes_without_account, progress_of
from share_service.shares.model import Share, UnknownCode
from share_service.shares.queries.made import share_of_id

SeenState = Literal["waiting", "sending", "verifying", "ready", "failed"]
"""waiting: no byte has arrived. sending: bytes arrive. verifying: all bytes are there. ready: can be fetched.
failed: abandoned by its sender, or not what was claimed."""


@dataclass(frozen=True, slots=True)
class SeenItem:
    """An item, with how much of it has arrived. Sizes in bytes."""

    id: UUID
    """A share without items has one with the share's own id."""
    kind: ItemKind
    name: str
    size: int
    state: SeenState
    received: int
    sha256: bytes | None
    body: str | None
    session_id: UUID | None = None
    """The upload that brings its content, if one was begun."""


async def is_sender(context: Context, identity: Identity | None, share_id: UUID, key: str | None) -> bool:
    """Whether this is the share's key, and is good for whoever shows it. Raises `Unavailable`."""
    if not SenderKeys(context.key_secret).matches(share_id, key):
        return False
    async with context.db.connection() as connection:
        share = await share_of_id(connection, share_id)
    if share is None:
        return False
    is_owner = identity is not None and identity.account_id == share.owner
    return is_owner or await goes_without_account(context, share)


async def see_items(context: Context, share: Share, *, is_patient: bool = True) -> list[SeenItem]:
    """The items of a share, or the one that stands for its content.

    `is_patient`: while the upload service does not answer, nothing is said to arrive. Raises `UnknownCode` if the file
    of a share without items is gone, and `Unavailable`.
    """
    if share.content_kind != "items":
        return [await _content(context, share)]
    async with context.db.connection() as connection:
        items = await items_of_share(connection, share.id)
    progress: dict[UUID, Progress] = {}
    try:
        progress = await progress_of(context, items)
    except Unavailable:
        if not is_patient:
            raise
    return [_seen(item, progress.get(item.id)) for item in items]


def is_complete(items: Sequence[SeenItem]) -> bool:
    """Whether everything can be fetched."""
    return bool(items) and all(item.state == "ready" for item in items)


def _seen(item: Item, progress: Progress | None) -> SeenItem:
    received = 0
    if progress is not None:
        item = advanced(item, progress)
        # An upload that was aborted has brought nothing: the next one begins anew.
        received = min(progress.received, item.size) if item.session_id else 0
    if item.state in ("verifying", "ready"):
        received = item.size
    state: SeenState = "failed" if item.state == "removed" else item.state
    if state == "waiting" and received:
        state = "sending"
    return SeenItem(
        id=item.id,
        kind=item.kind,
        name=item.name,
        size=item.size,
        state=state,
        received=received,
        sha256=item.sha256,
        body=item.body,
        session_id=item.session_id,
    )


async def _content(context: Context, share: Share) -> SeenItem:
    """The content of a share without items, as an item with the id of the share."""
    if share.content_kind == "text":
        sha256 = hashlib.sha256((share.body or "").encode()).digest() if share.body is not None else None
        return SeenItem(share.id, "text", share.name, share.size, "ready", share.size, sha256, share.body)
    asked = {"file_ids": [share.file_id.hex] if share.file_id else [], "owner": None}
    answer = await context.upload.call("POST", "/internal/files/facts", asked)
    if not answer["files"]:
        raise UnknownCode
    fact = answer["files"][0]
    states: dict[str, SeenState] = {"pending": "verifying", "ready": "ready", "corrupt": "failed"}
    sha256 = bytes.fromhex(fact["sha256"]) if fact["sha256"] else None
    return SeenItem(share.id, "file", share.name, share.size, states[fact["state"]], share.size, sha256, None)
