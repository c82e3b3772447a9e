"""A download, from the code to the place in the object store: everything between a protocol's wire and its answer.

The upload service is asked before a use is taken, so a file that is not ready yet, or is gone, costs nothing. No
database connection is held meanwhile.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from common import clock
from common.addresses import limit_key
from common.downloads import NOWHERE, StoredAt
from common.errors import Gone, NotFound, NotReady
from common.ranges import starts_at_zero
from share_service.context import Context
from share_service.downloads import queries
from share_service.downloads.guesses import counted_redemption
from share_service.downloads.keys import BadKey, DownloadKeys, address_holder
from share_service.downloads.passwords import Proof, check_password
from share_service.shares.model import LEASE_LIFETIME, Share, ShareEnded, ShareKind, UnknownCode, is_possible


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


@dataclass(frozen=True, slots=True)
class Admission:
    """A share that the client may download."""

    share: Share
    holder: bytes
    """The holder of the lease that covers the resumes of this download."""
    takes_use: bool
    """Whether this is a download of its own, rather than the resume of one that has a lease."""
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


async def start_download(context: Context, kind: ShareKind, code: str, request: DownloadRequest) -> Download:
    """Admit the client, check the password, take the use that is due, and say where the content is.

    Wrong codes are counted as guesses; only the look-up is, so that slow downloads do not look like guessing. Raises
    what `admit`, `check_password` and `file_of` raise, and `ShareEnded` if somebody else takes the last use meanwhile.
    """
    counted = nullcontext()
    if kind == "code":
        counted = counted_redemption(context, await context.policy.current(), request.address)
    now = clock.now()
    async with counted:
        admission = await admit(context, kind, code, request, now)
    share = admission.share
    await check_password(context, share.id, share.password_hash, admission.proof)
    if share.content_kind == "text":
        return Download(await take_text(context, share.id, now) if admission.takes_use else share)
    file = await file_of(context, share, request.method)
    if share.password_hash is None:
        await check_password(context, share.id, file.password_hash, admission.proof)
    if admission.takes_use:
        share = await take_file(context, share.id, admission.holder, now)
    return Download(share, file.stored_at, file.sha256)


async def admit(context: Context, kind: ShareKind, code: str, request: DownloadRequest, now: datetime) -> Admission:
    """Decide whether the client may download the share with this code, and whether that takes a use. Takes nothing.

    Every GET takes a use, unless it resumes a download that has a lease. A resume is possible even after the last use
    was taken. Raises `UnknownCode`, `ShareEnded`, and `BadKey` for a key that is wrong or too old to start a download.
    """
    if request.key is None:
        holder, may_start, has_password = address_holder(limit_key(request.address)), True, False
    else:
        key = DownloadKeys(context.key_secret).check(request.key, code)
        holder, may_start, has_password = key.holder, key.may_start(now), key.has_password
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
    is_resume = is_leased and (request.method == "HEAD" or not starts_at_zero(request.ranges, share.size))
    if not may_start and not is_resume:
        raise BadKey
    return Admission(
        share=share,
        holder=holder,
        takes_use=request.method == "GET" and not is_resume,
        proof=Proof(request.address, request.password, has_password),
    )


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

    A file that is still being verified is treated as one without a password. Raises `UnknownCode` if the file is gone,
    and `Unavailable`.
    """
    if share.password_hash is not None or share.content_kind == "text":
        return share.password_hash
    try:
        return (await file_of(context, share, "HEAD")).password_hash
    except NotReady:
        return None


async def take_file(context: Context, share_id: UUID, holder: bytes, now: datetime) -> Share:
    """Take a use and give `holder` a lease, which covers the resumes of this download. Raises `ShareEnded`."""
    async with context.db.connection() as connection:
        share = await queries.take_use_on_lease(connection, share_id, now, holder, now + LEASE_LIFETIME)
    if share is None:
        raise ShareEnded
    return share


async def take_text(context: Context, share_id: UUID, now: datetime) -> Share:
    """Take a use and return the share with its text, which the last use erases. Raises `ShareEnded`."""
    async with context.db.transaction() as connection:
        share = await queries.take_use(connection, share_id, now)
        if share is None:
            raise ShareEnded
        if share.state == "ended":
            await queries.erase_body(connection, share_id)
    return share
