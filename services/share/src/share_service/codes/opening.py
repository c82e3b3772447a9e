"""Opening a code: seeing what its share has, getting a ticket for links, and fetching its items."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common import clock
from share_service.context import Context
from share_service.downloads.archives import NoArchive
from share_service.downloads.downloading import (
    Admission,
    Download,
    DownloadRequest,
    admit,
    password_of,
    serve,
    serve_archive,
)
from share_service.downloads.guesses import counted_redemption
from share_service.downloads.keys import LIFETIME, DownloadKeys
from share_service.downloads.passwords import check_password
from share_service.items.model import UnknownItem
from share_service.items.queries.held import item_of_id, items_of_share
from share_service.shares.model import Share, canonical


@dataclass(frozen=True, slots=True)
class Opened:
    """A share that its code, and its password if it has one, have opened."""

    share: Share
    password_hash: str | None
    """Of the password that opened it: its own, or that of its file."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A key of downloads for links that a browser follows; it also stands for the password."""

    key: str
    expires_at: datetime
    """Until then it may take a use; what was begun may be continued."""


async def open_code(context: Context, code: str, request: DownloadRequest) -> Opened:
    """The share with this code. Takes no use. Raises what `admit`, `counted_redemption` and `check_password` raise."""
    admission = await _admitted(context, code, request, clock.now())
    share = admission.share
    hashed = await password_of(context, share)
    await check_password(context, share.id, hashed, admission.proof)
    return Opened(share, hashed)


async def new_ticket(context: Context, code: str, request: DownloadRequest) -> Ticket:
    """A ticket for the share with this code. Raises as `open_code`."""
    opened, now = await open_code(context, code, request), clock.now()
    key = DownloadKeys(context.key_secret).issue(canonical("code", code), now, password_hash=opened.password_hash)
    return Ticket(key, now + LIFETIME)


async def fetch_item(context: Context, code: str, item_id: UUID, request: DownloadRequest) -> Download:
    """One item of the share with this code. Raises `UnknownItem`, and what `open_code` and `serve` raise."""
    now = clock.now()
    admission = await _admitted(context, code, request, now)
    share = admission.share
    if share.content_kind != "items":
        if item_id != share.id:
            raise UnknownItem
        return await serve(context, admission, request, now)
    async with context.db.connection() as connection:
        item = await item_of_id(connection, item_id)
    if item is None or item.share_id != share.id or item.state == "removed":
        # Without the password, nobody is told which items there are.
        await check_password(context, share.id, share.password_hash, admission.proof)
        raise UnknownItem
    return await serve(context, admission, request, now, item)


async def fetch_archive(context: Context, code: str, request: DownloadRequest) -> Download:
    """All items of the share with this code as one archive.

    Raises `NoArchive` for a share without items, and what `open_code` and `serve_archive` raise.
    """
    now = clock.now()
    admission = await _admitted(context, code, request, now)
    share = admission.share
    if share.content_kind != "items":
        await check_password(context, share.id, await password_of(context, share), admission.proof)
        raise NoArchive
    async with context.db.connection() as connection:
        items = await items_of_share(connection, share.id)
    return await serve_archive(context, admission, request, now, items)


async def _admitted(context: Context, code: str, request: DownloadRequest, now: datetime) -> Admission:
    """Admit the client; a wrong code counts as a guess. People type codes with small letters, too."""
    async with counted_redemption(context, await context.policy.current(), request.address, code):
        return await admit(context, "code", canonical("code", code), request, now)
