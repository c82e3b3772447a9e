"""The draft's calls: creation, offset retrieval, append and cancellation."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import Request, Response

from common import clock
from common.downloads import repr_digest
from common.errors import InvalidInput, TooLarge
from common.http.bodies import content_length, media_type
from common.http.interim import send_interim
from common.http.public_url import base_url
from common.policy import SizeRefused
from upload_service.content import appending, completing, sessions
from upload_service.content.appending import SizeContradicted
from upload_service.content.completing import DigestMismatch
from upload_service.content.model import SessionState, UploadSession
from upload_service.context import Context
from upload_service.dialects.growing.announcing import announced
from upload_service.dialects.growing.creating import create
from upload_service.dialects.growing.digest_fields import content_digest, whole_digest
from upload_service.dialects.growing.finishing import Finished, digest_of, finish
from upload_service.dialects.growing.receiving import OffsetWrong, free, receive
from upload_service.dialects.growing.standing import cancel, limit_of, offset_of, session_of
from upload_service.dialects.resumable import headers
from upload_service.dialects.resumable.answers import (
    PROCESSED,
    CompletedUpload,
    InconsistentLength,
    WrongMediaType,
    answer,
)
from upload_service.dialects.resumable.versions import MEDIA_TYPE, Version, version_of
from upload_service.dialects.senders import Sender, sender_of
from upload_service.edge import context_of

RESUMABLE, PHRASE = 104, "Upload Resumption Supported"


async def post(request: Request) -> Response:
    """Begin an upload, with all of its content, the beginning, or nothing of it."""
    context, version = context_of(request, Context), version_of(request)
    completes = _completes(version, request)
    checksum, claims = content_digest(request), whole_digest(request)
    size = _length(request, 0, completes=completes)
    sender = await sender_of(context, request)
    new = announced(request, size, named=headers.file_name(request), claims=claims)
    session = await create(context, request, sender, new)
    location = {"Location": f"{base_url(request, context.public_url)}{request.url.path.rstrip('/')}/{session.id.hex}"}
    limits = _limits(version, sender, session)
    send_interim(request, RESUMABLE, PHRASE, {**location, **limits, **version.echo})
    at = 0
    if content_length(request) != 0 or completes:
        async with _bounded(context, sender, session, at):
            at = await receive(context, request, session, at, limit_of(sender, session), checksum)
    if completes:
        return await _finished(context, request, version, session, at, location)
    told = {"Upload-Offset": str(at), **version.completeness(is_complete=False)}
    return answer(201, request, {**location, **limits, **told})


async def head(request: Request, upload_id: str) -> Response:
    """The offset that an upload has reached, and where its file is if it is complete."""
    context, version = context_of(request, Context), version_of(request)
    sender = await sender_of(context, request)
    session = await free(context, await session_of(context, upload_id, sender))
    told = {"Upload-Offset": str(await offset_of(context, session)), **_limits(version, sender, session)}
    # What tus adds: without a version nobody knows for which of the two protocols a HEAD is meant.
    told |= {"Upload-Defer-Length": "1"} if session.size is None else {"Upload-Length": str(session.size)}
    for name, header in (("metadata", "Upload-Metadata"), ("concat", "Upload-Concat")):
        if value := session.intent.get(name):
            told[header] = value
    is_complete = session.state is not SessionState.OPEN
    if is_complete:
        told |= await _told(context, request, session)
    return answer(204, request, {**told, **version.completeness(is_complete=is_complete)})


async def patch(request: Request, upload_id: str) -> Response:
    """Append bytes. Raises `OffsetWrong`, `InconsistentLength`, `CompletedUpload`."""
    context, version = context_of(request, Context), version_of(request)
    if version.needs_type and media_type(request) != MEDIA_TYPE:
        raise WrongMediaType
    completes, at = _completes(version, request), headers.number(request, "upload-offset")
    if at is None:
        raise InvalidInput("Upload-Offset is missing or no number of bytes")
    checksum = content_digest(request)
    size = _length(request, at, completes=completes)
    sender = await sender_of(context, request)
    session = await free(context, await session_of(context, upload_id, sender))
    if session.intent.get("concat"):
        raise InvalidInput("only tus knows uploads of several pieces")
    if session.state is not SessionState.OPEN:
        raise CompletedUpload if content_length(request) == 0 else InconsistentLength
    session = await _declared(context, request, sender, session, at, size)
    if content_length(request) == 0 and session.size != 0:
        if at != (current := await offset_of(context, session)):
            raise OffsetWrong(current, at)
    else:
        async with _bounded(context, sender, session, at):
            at = await receive(context, request, session, at, limit_of(sender, session), checksum)
    if completes:
        return await _finished(context, request, version, session, at, {})
    session = await sessions.find_session(context, session.id)
    told = {"Upload-Offset": str(at), **version.completeness(is_complete=False)}
    return answer(204, request, {**told, **_limits(version, sender, session)})


async def delete(request: Request, upload_id: str) -> Response:
    """Cancel an upload. One that is complete is a file already, and is not removed in this way."""
    context = context_of(request, Context)
    version_of(request)
    session = await session_of(context, upload_id, await sender_of(context, request))
    await cancel(context, session)
    return answer(204, request, {})


def _completes(version: Version, request: Request) -> bool:
    completes = version.completes(request)
    if completes is None:
        raise InvalidInput("the request does not say whether it completes the upload")
    return completes


def _length(request: Request, at: int, *, completes: bool) -> int | None:
    """The length of the whole upload, as far as a request that begins at offset `at` says it.

    Raises `InconsistentLength` if it says two different things.
    """
    declared, following = headers.number(request, "upload-length"), content_length(request)
    if following is None:
        return declared
    end = at + following
    if declared is not None and (end > declared or (completes and end != declared)):
        raise InconsistentLength
    return end if completes else declared


async def _declared(
    context: Context, request: Request, sender: Sender, session: UploadSession, at: int, size: int | None
) -> UploadSession:
    """The session with the length that a request at offset `at` says. Raises `InconsistentLength`, `SizeRefused`."""
    following = content_length(request) or 0
    if at != await offset_of(context, session):
        # Whether the offset is wrong is decided when this request has its turn.
        return session
    if session.size is not None and at + following > session.size:
        raise InconsistentLength
    if size is None:
        return session
    sender.policy.check_size(size)
    try:
        return await appending.declare_size(context, session, size)
    except SizeContradicted:
        raise InconsistentLength from None


@asynccontextmanager
async def _bounded(context: Context, sender: Sender, session: UploadSession, at: int) -> AsyncGenerator[None]:
    """Say in the draft's way that a body was too long. An upload that gets more than its length has failed for good."""
    try:
        yield
    except TooLarge:
        if session.size is None:
            raise SizeRefused(sender.policy.upload_size) from None
        if at <= session.size:
            await sessions.abort_upload(context, session.id)
        raise InconsistentLength from None


async def _finished(
    context: Context, request: Request, version: Version, session: UploadSession, at: int, location: dict[str, str]
) -> Response:
    """The answer to the request that completed an upload, with where its file is, in headers and as JSON."""
    if session.size is None:
        session = await appending.declare_size(context, session, at)
    elif at != session.size:
        raise InconsistentLength
    setattr(request.state, PROCESSED, True)
    finished = await finish(context, request, session)
    told = {"Upload-Offset": str(at), **version.completeness(is_complete=True)}
    told |= await _with_digest(context, request, session, finished)
    return answer(201, request, {**location, **told}, finished.to_json())


async def _told(context: Context, request: Request, session: UploadSession) -> dict[str, str]:
    """The headers that say where the file of a complete upload is; none if the content was not what was claimed."""
    try:
        finished = await finish(context, request, session)
    except DigestMismatch:
        return {}
    return await _with_digest(context, request, session, finished)


async def _with_digest(
    context: Context, request: Request, session: UploadSession, finished: Finished
) -> dict[str, str]:
    """The headers that say where the file is, with its digest if that is known or asked for (RFC 9530)."""
    if headers.wants_digest(request):
        current = await sessions.find_session(context, session.id)
        await completing.wait_verified(context, current, context.complete_wait)
    digest = await digest_of(context, finished)
    return {**finished.headers, **({"Repr-Digest": repr_digest(digest)} if digest else {})}


def _limits(version: Version, sender: Sender, session: UploadSession) -> dict[str, str]:
    """The limits of an upload, and how long it will still be there."""
    left = max(0, int((session.expires_at - clock.now()).total_seconds()))
    return version.limits(sender.policy.upload_size, left)
