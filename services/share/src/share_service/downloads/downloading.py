"""A download, from the code to the place in the object store: everything between a protocol's wire and its answer.

The upload service is asked before a use is taken, so a file that is not ready yet, or is gone, costs nothing. No
database connection is held meanwhile.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from common import clock
from common.addresses import limit_key
from common.downloads import NOWHERE, StoredAt
from common.errors import Gone, NotFound
from common.ranges import ByteRange
from common.statistics import count
from share_service.context import Context
from share_service.downloads import queries
from share_service.downloads.archives import ArchivedItems
from share_service.downloads.asks import Ask, ask_of
from share_service.downloads.guesses import counted_redemption
from share_service.downloads.keys import BadKey, DownloadKeys, address_holder
from share_service.downloads.leasing import Claim, ClientGone, grant
from share_service.downloads.passwords import Proof, check_password
from share_service.downloads.single_items import of_item
from share_service.items.model import Item
from share_service.items.queries.held import items_of_share
from share_service.shares.model import Share, ShareEnded, ShareKind, UnknownCode, canonical, is_possible


async def _never() -> bool:
    return False


def _no_name(_name: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """A client's request for the content of a share."""

    method: Literal["GET", "HEAD"]
    address: str
    password: str | None = None
    key: str | None = None
    """A download key, if the client shows one."""
    ranges: str | None = None
    """The `Range` header."""
    if_range: str | None = None
    """The `If-Range` header."""
    plays: Callable[[str], bool] = _no_name
    """Whether browsers play a file of this name, and so fetch it as a page first and then again by ranges."""
    is_gone: Callable[[], Awaitable[bool]] = _never
    """Whether the client has closed the connection."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A share that the client may download."""

    share: Share
    holder: bytes
    """The holder of the lease, by address or download key."""
    is_leased: bool
    may_start: bool
    """Whether a use may be taken. An old download key only continues what has a lease."""
    proof: Proof


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as the upload service has it: where the bytes are, their digest, and the hash of its own password."""

    stored_at: StoredAt
    sha256: bytes
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Download:
    """A share that is being downloaded: a text, or a file whose bytes are in the object store."""

    share: Share
    stored_at: StoredAt = NOWHERE
    sha256: bytes = b""
    """Of an archive, a digest of what it is made of."""
    range: ByteRange | None = None
    """The only range that may be served; None: what the client's headers say."""


async def start_download(context: Context, kind: ShareKind, code: str, request: DownloadRequest) -> Download:
    """Admit the client, check the password, take the use if one is due, and say where the content is.

    Wrong codes are counted as guesses; only the look-up is, so that slow downloads do not look like guessing. Raises
    what `admit`, `serve` and `serve_archive` raise.
    """
    counted = nullcontext()
    if kind == "code":
        counted = counted_redemption(context, await context.policy.current(), request.address, code)
    now = clock.now()
    async with counted:
        admission = await admit(context, kind, code, request, now)
    if admission.share.content_kind != "items":
        return await serve(context, admission, request, now)
    async with context.db.connection() as connection:
        items = await items_of_share(connection, admission.share.id)
    if len(items) == 1:
        return await serve(context, admission, request, now, items[0])
    return await serve_archive(context, admission, request, now, items)


async def serve(
    context: Context, admission: Admission, request: DownloadRequest, now: datetime, item: Item | None = None
) -> Download:
    """Check the password, take the use if one is due, and say where the content is: that of the share, or of an item.

    Raises what `check_password`, `of_item`, `file_of` and `grant` raise.
    """
    share = admission.share
    await check_password(context, share.id, share.password_hash, admission.proof)
    if item is not None:
        share = of_item(share, item)
    if share.content_kind == "text":
        return await _serve_text(context, share, admission, request, now, item)
    file = await file_of(context, share, request.method)
    if share.password_hash is None:
        await check_password(context, share.id, file.password_hash, admission.proof)
    if request.method == "HEAD":
        return Download(share, file.stored_at, file.sha256)
    ask = ask_of(request.ranges, request.if_range, share.size, is_counted=share.uses_left is not None)
    granted = await grant(context, _claim(admission, share, ask, request, item), now, request.is_gone)
    return Download(share, file.stored_at, file.sha256, granted.range)


async def serve_archive(
    context: Context, admission: Admission, request: DownloadRequest, now: datetime, items: Sequence[Item]
) -> Download:
    """Check the password, take the use if one is due, and say where the archive of all items is: one copy is one use.

    Raises what `check_password`, `ArchivedItems.of` and `grant` raise, and `NotReady` or `Unavailable` if the upload
    service cannot make the archive.
    """
    share = admission.share
    await check_password(context, share.id, share.password_hash, admission.proof)
    archived = ArchivedItems.of(share, items)
    content, stored_at = archived.as_content(share), archived.stored_at(context, share)
    assert stored_at.fallback
    await context.upload.call("HEAD", stored_at.fallback)
    if request.method == "HEAD":
        return Download(content, stored_at, archived.archive.tag)
    ask = ask_of(request.ranges, request.if_range, content.size, is_counted=share.uses_left is not None)
    claim = Claim(content, admission.holder, ask, admission.is_leased, admission.may_start, False, share.id)
    granted = await grant(context, claim, now, request.is_gone)
    return Download(content, stored_at, archived.archive.tag, granted.range)


async def _serve_text(
    context: Context, share: Share, admission: Admission, request: DownloadRequest, now: datetime, item: Item | None
) -> Download:
    """A text, which is always sent as a whole. A HEAD takes no use, so it gets nothing of a text whose uses count."""
    sha256 = item.sha256 or b"" if item else b""
    if request.method == "HEAD":
        return Download(share, sha256=sha256) if share.uses_left is None else Download(replace(share, body=None))
    if item is not None:
        await grant(context, _claim(admission, share, Ask(share.size), request, item), now, request.is_gone)
        return Download(share, sha256=sha256)
    if await request.is_gone():
        raise ClientGone
    return Download(await take_text(context, share.id, now))


async def admit(context: Context, kind: ShareKind, code: str, request: DownloadRequest, now: datetime) -> Admission:
    """Decide whether the client may download anything of the share with this code. Takes nothing.

    That is so while the share can be redeemed, and afterwards for a holder of a lease. Raises `UnknownCode`,
    `ShareEnded`, and `BadKey` for a key that is wrong, or too old to start a download.
    """
    if request.key is None:
        key, holder, may_start = None, address_holder(limit_key(request.address)), True
    else:
        key = DownloadKeys(context.key_secret).check(request.key, canonical(kind, code))
        holder, may_start = key.holder, key.may_start(now)
    if not is_possible(kind, code):
        raise UnknownCode
    async with context.db.connection() as connection:
        found = await queries.share_with_lease(connection, kind, code, holder, now)
    if found is None:
        raise UnknownCode
    share = found.share
    is_leased = found.is_leased and share.is_resumable(now)
    if not is_leased and not share.is_redeemable(now):
        raise ShareEnded(share.ended_for)
    if not may_start and not is_leased:
        raise BadKey
    return Admission(share, holder, is_leased, may_start, Proof(request.address, request.password, key))


async def file_of(context: Context, share: Share, method: Literal["GET", "HEAD"]) -> StoredFile:
    """The file of a share, located for a request by `method`.

    Raises `UnknownCode` if the file is gone, `NotReady` while it is being verified, and `Unavailable`.
    """
    path = f"/internal/files/{share.file_id}/download"
    try:
        answer: dict[str, Any] = await context.upload.call("POST", path, {"method": method})
    except (NotFound, Gone):
        raise UnknownCode from None
    return StoredFile(StoredAt.of(answer), bytes.fromhex(answer["sha256"]), answer.get("password_hash"))


async def password_of(context: Context, share: Share) -> str | None:
    """The hash of the password that opens a share: its own, or else that of its file, if there is one.

    The store is not looked at. Raises `UnknownCode` if the file is gone, and `Unavailable`.
    """
    if share.password_hash is not None or share.content_kind != "file":
        return share.password_hash
    try:
        answer = await context.upload.call("POST", f"/internal/files/{share.file_id}/password")
    except (NotFound, Gone):
        raise UnknownCode from None
    return answer["password_hash"]


async def take_text(context: Context, share_id: UUID, now: datetime) -> Share:
    """Take a use and return the share with its text, which the last use erases. Raises `ShareEnded`."""
    async with context.db.transaction() as connection:
        share = await queries.take_use(connection, share_id, now)
        if share is None:
            raise ShareEnded
        if share.state == "ended":
            await queries.erase_body(connection, share_id)
            count("shares_ended")
    count("downloads")
    count("bytes_out", share.size)
    return share


def _claim(admission: Admission, share: Share, ask: Ask, request: DownloadRequest, item: Item | None) -> Claim:
    return Claim(
        share,
        admission.holder,
        ask,
        admission.is_leased,
        admission.may_start,
        plays=request.plays(share.name),
        item_id=item.id if item else queries.NO_ITEM,
    )
