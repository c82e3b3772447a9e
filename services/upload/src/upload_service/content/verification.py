"""Assembling the parts of an upload and verifying the result, outside the request.

Every step can be done again: when the store has completed the multipart upload already, its result is recognised;
joining staged parts starts over; and reading back changes nothing. One verifier at a time holds a claim on the session,
renewed while it works and taken over when it dies.
"""

import time
from datetime import timedelta
from functools import partial
from uuid import UUID

from common import logging
from common.claims import ClaimLost, KeptClaim, claim_kept
from common.errors import DomainError
from common.ids import new_id
from common.store import ContentHasher, ObjectMissing, PartMismatch, Piece, StoredPart, UploadMissing
from common.sweeping import Sweep, drain
from upload_service.content.cleaning import clean_session
from upload_service.content.context import Context
from upload_service.content.finishing import make_ready, mark_corrupt
from upload_service.content.model import Layout, Part, SessionState, UploadSession
from upload_service.content.queries import files, parts, sessions, verification
from upload_service.content.queries.verification import Waiting
from upload_service.content.reporting import report_soon

LEASE = timedelta(seconds=15)
# A message is taken for lost when no verifier has begun after this long.
LOST_AFTER = timedelta(seconds=10)
BATCH = 100

_log = logging.get(__name__)


class PartsLost(DomainError):
    """The store does not have the parts as they were recorded."""

    code = "chunks_lost"


async def verify_upload(context: Context, session_id: UUID) -> None:
    """Assemble a session's parts, compute the digest of the result and finish the session.

    Does nothing when that is done, or another verifier is at work. Raises `Unavailable` when it must be tried again.
    """
    verifier, claimed = new_id(), time.monotonic()
    async with context.db.connection() as connection:
        session = await verification.claim_verification(connection, session_id, verifier, LEASE)
        if session is None:
            return
        stored = await parts.stored_parts(connection, session_id)

    async def renew() -> bool:
        async with context.db.connection() as connection:
            return await verification.extend_verification(connection, session_id, verifier, LEASE)

    try:
        async with claim_kept(renew, LEASE, since=claimed) as claim:
            sha256 = await _assemble_and_verify(context, session, stored, claim)
        ended = await _finish(context, session, sha256)
    except ClaimLost:
        return
    except PartsLost:
        await _reopen(context, session, stored, verifier)
        return
    except BaseException:
        async with context.db.connection() as connection:
            await verification.drop_verification(connection, session_id, verifier)
        raise
    await clean_session(context, ended)
    await context.hooks.after_ready(ended)
    await report_soon(context, ended)


async def request_unverified(context: Context) -> None:
    """Request the verification of sessions again whose message was lost, or whose worker died."""
    await drain(context, [unverified()])


def unverified() -> Sweep[Context]:
    """The sweep of unverified sessions: it requests each once, the oldest first, as long as the queue has room."""
    after: Waiting | None = None

    async def request(context: Context) -> int:
        nonlocal after
        async with context.db.connection() as connection:
            found = await verification.unverified_sessions(connection, LOST_AFTER, after, BATCH)
        if found:
            after = found[-1]
        requested = await context.queue.verify_again([session.id for session in found])
        return requested if requested == len(found) else 0

    return Sweep("uploads to verify", request, partial(verification.count_unverified, age=LOST_AFTER))


async def _assemble_and_verify(
    context: Context, session: UploadSession, stored: list[Part], claim: KeptClaim
) -> bytes | None:
    """Make the parts one object; the SHA-256 of what the store has, or None when it is not what was claimed."""
    if session.layout in (Layout.STAGED, Layout.APPENDED):
        hasher = await _join_and_hash(context, session, stored, claim)
    else:
        if session.state is SessionState.ASSEMBLING:
            await _complete_multipart(context, session, stored)
            async with context.db.connection() as connection:
                await sessions.move_session(connection, session.id, [SessionState.ASSEMBLING], SessionState.VERIFYING)
        if session.running_sha256:
            return session.running_sha256
        hasher = await _read_back(context, session)
    verified = hasher.size == session.size and hasher.satisfies(session.digest_claims)
    return hasher.sha256 if verified else None


async def _read_back(context: Context, session: UploadSession) -> ContentHasher:
    hasher = _hasher(session)
    try:
        await context.store.read_back(session.object_key, hasher)
    except ObjectMissing:
        raise PartsLost from None
    return hasher


def _hasher(session: UploadSession) -> ContentHasher:
    return ContentHasher(sampled_size=session.size if session.claims else None)


async def _complete_multipart(context: Context, session: UploadSession, stored: list[Part]) -> None:
    assert session.multipart_id is not None, "a session with stored parts has a multipart upload"
    receipts = [StoredPart(part.index + 1, part.size, part.etag) for part in stored]
    try:
        await context.store.complete_multipart(session.object_key, session.multipart_id, receipts)
    except UploadMissing:
        # Completed by an attempt that died before it could record that, unless the object is not there either.
        info = await context.store.stat(session.object_key)
        if info is None or info.size != session.size:
            raise PartsLost from None
    except PartMismatch:
        raise PartsLost from None


async def _join_and_hash(
    context: Context, session: UploadSession, stored: list[Part], claim: KeptClaim
) -> ContentHasher:
    """Write the staged parts, in order, as one object, and hash them meanwhile.

    If its sender said which SHA-256 the whole has, that proves the parts as well, and each byte is hashed once. Only
    when it is another one, the parts are compared with what was recorded, to see whether the store damaged them.
    """
    claims = session.digest_claims
    if claims and all(known.scheme == "sha-256" for known in claims):
        hasher = await _join(context, session, stored, claim, compared=False)
        if hasher.satisfies(claims):
            return hasher
    return await _join(context, session, stored, claim, compared=True)


async def _join(
    context: Context, session: UploadSession, stored: list[Part], claim: KeptClaim, *, compared: bool
) -> ContentHasher:
    """Write the parts as one object. `compared`: each must have the digest that was recorded, or they are lost.

    A verifier that was stopped longer than its claim lasts must not put it in the place of what was sent again.
    """
    hasher = _hasher(session)

    async def on_multipart(multipart_id: str) -> None:
        if session.multipart_id:
            await context.store.abort_multipart(session.object_key, session.multipart_id)
        async with context.db.connection() as connection:
            await sessions.replace_multipart(connection, session.id, multipart_id)

    pieces = [
        Piece(session.key_of(part), part.length, part.sha256 if compared and part.length == part.size else None)
        for part in stored
        if part.length
    ]
    try:
        await context.store.join(session.object_key, pieces, hasher, on_multipart=on_multipart, lease=claim)
    except (ObjectMissing, PartMismatch):
        raise PartsLost from None
    return hasher


async def _finish(context: Context, session: UploadSession, sha256: bytes | None) -> UploadSession:
    if sha256 is None or session.size is None:
        _log.warning("content is not what was claimed", session=session.id.hex)
        return await mark_corrupt(context, session.id)
    async with context.db.transaction() as connection:
        return await make_ready(connection, context, session.id, session.size, sha256)


async def _reopen(context: Context, session: UploadSession, stored: list[Part], verifier: UUID) -> None:
    """Open the session again without its parts: the sender is told that they are missing and sends them again."""
    _log.warning("the store lost parts, the upload is open again", session=session.id.hex)
    async with context.db.transaction() as connection:
        if await sessions.reopen_session(connection, session.id, verifier, context.session_lifetime):
            await parts.forget_parts(connection, session.id, [part.index for part in stored])
            if session.file_id:
                await files.delete_file(connection, session.file_id)
