"""tus: its calls. Guests may continue the uploads that belong to nobody, and accounts their own."""

from uuid import UUID

from fastapi import Request, Response

from common.errors import Forbidden, InvalidInput, TooLarge
from common.http.bodies import content_length
from common.http.public_url import base_url
from upload_service.content import appending, sessions
from upload_service.content.concatenating import join_pieces, keep_together
from upload_service.content.model import SessionState, UploadSession
from upload_service.context import Context
from upload_service.dialects.growing.announcing import announced
from upload_service.dialects.growing.creating import PIECE, create, create_piece, create_whole
from upload_service.dialects.growing.digest_fields import whole_digest
from upload_service.dialects.growing.finishing import Finished, finish
from upload_service.dialects.growing.receiving import OffsetWrong, free, receive
from upload_service.dialects.growing.standing import cancel, limit_of, offset_of, session_of
from upload_service.dialects.senders import Sender, sender_of
from upload_service.dialects.tus import headers
from upload_service.dialects.tus.answers import answer, http_date
from upload_service.dialects.tus.headers import WrongContentType
from upload_service.edge import context_of


class FinalUpload(Forbidden):
    """An upload that others became takes no bytes."""

    code = "final_upload"


async def post(request: Request) -> Response:
    """Begin an upload, or make one of several (tus: creation and what extends it, concatenation)."""
    context = context_of(request, Context)
    headers.check_version(request)
    sender = await sender_of(context, request)
    session = await _create(context, request, sender)
    sent = {"Location": f"{base_url(request, context.public_url)}{request.url.path.rstrip('/')}/{session.id.hex}"}
    at = 0
    if concat := session.intent.get("concat"):
        sent["Upload-Concat"] = concat
    if concat and concat != PIECE:
        if headers.has_content(request):
            raise FinalUpload
        return answer(201, sent | await _whole(context, request, sender, session))
    if headers.has_content(request) or session.size == 0:
        at = await receive(context, request, session, 0, limit_of(sender, session), headers.checksum(request))
        sent["Upload-Offset"] = str(at)
    return answer(201, sent | await _standing(context, request, sender, session, at))


async def head(request: Request, upload_id: str) -> Response:
    """The offset that an upload has reached (tus: core)."""
    context = context_of(request, Context)
    sender = await sender_of(context, request)
    session = await free(context, await session_of(context, upload_id, sender))
    sent = {"Upload-Defer-Length": "1"} if session.size is None else {"Upload-Length": str(session.size)}
    if concat := session.intent.get("concat"):
        sent["Upload-Concat"] = concat
    if metadata := session.intent.get("metadata"):
        sent["Upload-Metadata"] = metadata
    if session.piece_ids:
        return answer(200, sent | await _whole(context, request, sender, session))
    at = await offset_of(context, session)
    return answer(200, {**sent, "Upload-Offset": str(at)} | await _standing(context, request, sender, session, at))


async def patch(request: Request, upload_id: str) -> Response:
    """Send bytes (tus: core, checksum)."""
    context = context_of(request, Context)
    headers.check_version(request)
    if not headers.has_content(request):
        raise WrongContentType
    at, checksum = headers.number(request, "Upload-Offset"), headers.checksum(request)
    if at is None:
        raise InvalidInput("Upload-Offset is missing")
    sender = await sender_of(context, request)
    session = await session_of(context, upload_id, sender)
    if session.intent.get("concat", PIECE) != PIECE:
        raise FinalUpload
    if session.state is SessionState.OPEN and (size := headers.number(request, "Upload-Length")) is not None:
        sender.policy.check_size(size)
        session = await appending.declare_size(context, session, size)
    if session.state is not SessionState.OPEN or (content_length(request) == 0 and session.size != 0):
        at = await _unchanged(context, request, session, at)
    else:
        at = await receive(context, request, session, at, limit_of(sender, session), checksum)
    return answer(204, {"Upload-Offset": str(at)} | await _standing(context, request, sender, session, at))


async def delete(request: Request, upload_id: str) -> Response:
    """Abort an upload (tus: termination). One that is complete is a file already, and is not removed in this way."""
    context = context_of(request, Context)
    headers.check_version(request)
    session = await session_of(context, upload_id, await sender_of(context, request))
    await cancel(context, session)
    return answer(204, {})


async def _create(context: Context, request: Request, sender: Sender) -> UploadSession:
    concat, claims = headers.concatenation(request), whole_digest(request)
    if isinstance(concat, list):
        whole = announced(request, None, claims=claims)
        return await create_whole(context, request, sender, whole, concat, request.headers["upload-concat"])
    new = announced(request, headers.length(request), claims=claims)
    return await (create_piece if concat else create)(context, request, sender, new)


async def _unchanged(context: Context, request: Request, session: UploadSession, at: int) -> int:
    """The offset of an upload that this request adds nothing to. Raises `OffsetWrong`, `TooLarge`."""
    if at != (current := await offset_of(context, session)):
        raise OffsetWrong(current, at)
    if content_length(request) != 0:
        raise TooLarge("the upload is complete")
    return current


async def _standing(
    context: Context, request: Request, sender: Sender, session: UploadSession, at: int
) -> dict[str, str]:
    """The headers that say when the upload ends, or where its file is once it has all its bytes."""
    is_piece = session.intent.get("concat") == PIECE
    if session.size == at and not is_piece:
        return (await finish(context, request, session)).headers
    # Each part extends the life of its upload.
    current = await sessions.find_session(context, session.id)
    if current.joined_into:
        await keep_together(context, current.joined_into)
        if current.size == at:
            # It may be the last one that was missing.
            await _finish_whole(context, request, sender, current.joined_into)
    return {"Upload-Expires": http_date(current.expires_at)}


async def _whole(context: Context, request: Request, sender: Sender, whole: UploadSession) -> dict[str, str]:
    """The headers of an upload that others become: where its file is, or that some of them are unfinished."""
    if finished := await _finish_whole(context, request, sender, whole.id):
        joined = await sessions.find_session(context, whole.id)
        return {"Upload-Offset": str(joined.size), "Upload-Length": str(joined.size), **finished.headers}
    return {"Upload-Expires": http_date(whole.expires_at)}


async def _finish_whole(context: Context, request: Request, sender: Sender, whole_id: UUID) -> Finished | None:
    """Make a file of an upload whose pieces are all there. None: some are not."""
    whole = await join_pieces(context, whole_id, sender.policy.upload_size)
    return await finish(context, request, whole) if whole else None
