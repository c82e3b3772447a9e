"""Mirage: its upload (section 5 of its document). Rooms and messages are chat's, accounts auth's.

A file is stored like every other, shared by a link that ends in the file's extension, and posted in a room. The link's
address is the message's text, which the real page turns into a link by rules of its own: the address is absolute and
has neither an underscore nor anything else that the page takes for formatting, as long as the host's name has none.
"""

import mimetypes
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from common.dialects import fileuploader, mirage
from common.dialects.mirage import MirageRoute, Refused
from common.errors import Forbidden, InvalidInput, NotFound, StorageFull, TooLarge, Unavailable
from common.expiry import NEVER
from common.http.forms import Field, FilePart, FormStream
from common.http.public_url import base_url
from common.identities import Identities
from common.identity import Identity
from common.statuses import headers_of
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.dialects.form_upload import FORM_ALLOWANCE, SECOND_FILE, FormUpload, check_form
from upload_service.edge import context_of
from upload_service.rooms import PostedFile

MAX_SIZE = 24 * 1024 * 1024
NO_TOKEN = "Invalid token or token missing"  # noqa: S105  (a message, not a secret)
UNKNOWN_TOKEN = "Unauthorized access"  # noqa: S105
NO_FILE = "No file provided"
NO_NAME = "No file name provided"
NO_ROOM = "No room ID provided"
TOO_LARGE = "File size exceeds the 24MB limit"
NOT_A_MEMBER = "You are not a member of this room"
FAILED = "File upload failed"

_TYPES = mimetypes.MimeTypes()

router = APIRouter(route_class=MirageRoute)


@dataclass(slots=True)
class Post:
    """A form as far as it has arrived: a file, and the room to post it in."""

    sender: Identity
    upload: FormUpload
    room: str = ""
    """As it was sent."""
    joined: int | None = None
    """The room's id, once it is sure that the sender is a member."""
    has_file: bool = False


@router.post("/api/upload_file", response_class=Response)
async def upload_file(request: Request) -> Response:
    """Store, share and post the file of a form that has a `file` and a `room_id`, in any order.

    When any of it fails, nothing is left. The dialect reports by 500 that the file could not be stored.
    """
    context = context_of(request, Context)
    sender = await _sender(request)
    try:
        async with FormUpload(context) as upload:
            post = Post(sender, upload)
            form = _form(request)
            await check_form(context, sender.account_id, form)
            await _receive(context, form, post)
            file = await _share(request, context, upload)
            await _post(context, post, file)
    except (Unavailable, StorageFull) as error:
        return JSONResponse({"error": f"{FAILED}: {error.message}"}, 500, headers_of(error))
    return JSONResponse({"message": "File uploaded successfully", "file_url": file.url})


async def _receive(context: Context, form: FormStream, post: Post) -> None:
    """Read the form and store its file. Raises `Refused`: the first of what is wrong, in the contract's order.

    The sender's right to the room is checked before anything is stored, if the room comes first.
    """
    async for part in form:
        if isinstance(part, Field):
            post.room = part.text if part.name == "room_id" else post.room
        elif part.name == "file":
            post.has_file = True
            if part.filename and post.upload.session:
                raise Refused(400, SECOND_FILE)
            if part.filename:
                await _store(context, part, post)
    if not post.has_file:
        raise Refused(400, NO_FILE)
    if post.upload.session is None:
        raise Refused(400, NO_NAME)
    await _check_member(context, post)


async def _store(context: Context, part: FilePart, post: Post) -> None:
    if post.room:
        await _check_member(context, post)
    if part.certain() > MAX_SIZE:
        raise Refused(400, TOO_LARGE)
    await post.upload.begin(NewUpload(part.filename, owner=post.sender.account_id), part)
    try:
        await post.upload.store_part(part, MAX_SIZE)
    except TooLarge:
        raise Refused(400, TOO_LARGE) from None


async def _check_member(context: Context, post: Post) -> None:
    """Make sure that the sender is a member of the room. Raises `Refused`."""
    if not post.room.strip():
        raise Refused(400, NO_ROOM)
    room_id = mirage.number_of(post.room.strip())
    if room_id is None:
        raise Refused(403, NOT_A_MEMBER)
    if room_id != post.joined and not await context.rooms.is_member(room_id, post.sender):
        raise Refused(403, NOT_A_MEMBER)
    post.joined = room_id


async def _share(request: Request, context: Context, upload: FormUpload) -> PostedFile:
    assert upload.session is not None, "a form without a file has been refused"
    name = upload.session.file_name
    session, shared = await upload.share(NEVER, "link", fileuploader.extension(name))
    url = f"{base_url(request, context.public_url)}/file/{shared.code}"
    media_type = _TYPES.guess_type(name)[0] or "application/octet-stream"
    return PostedFile(name, session.size or 0, media_type, url, shared.id)


async def _post(context: Context, post: Post, file: PostedFile) -> None:
    assert post.joined is not None, "a form without a room has been refused"
    try:
        await context.rooms.post_file(post.joined, post.sender, file)
    except (NotFound, Forbidden) as error:
        # The sender has just left the room; or may only read there, and then chat's own message says so.
        left = isinstance(error, NotFound) or error.code == "not_a_member"
        raise Refused(403, NOT_A_MEMBER if left else error.message) from None


async def _sender(request: Request) -> Identity:
    """The sender. Raises `Refused` with texts that only this call uses."""
    identities: Identities = request.app.state.identities
    authorization = request.headers.get("authorization")
    return await mirage.identify(identities, authorization, Refused(401, NO_TOKEN), UNKNOWN_TOKEN)


def _form(request: Request) -> FormStream:
    """The form, no longer than one with the largest file. Raises `Refused` for any other body."""
    try:
        form = FormStream(request, limit=MAX_SIZE + FORM_ALLOWANCE)
    except InvalidInput:
        raise Refused(400, NO_FILE) from None
    if form.body.certain() > MAX_SIZE + FORM_ALLOWANCE:
        raise Refused(400, TOO_LARGE)
    return form
