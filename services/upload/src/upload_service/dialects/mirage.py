"""Mirage: its upload (section 5 of its document). Rooms and messages are chat's, accounts auth's.

A file is stored as every file is, shared by a link that ends in the file's extension, and posted in a room. The link's
address is the message's text, which the real page makes a link of by rules of its own: it is absolute, and has neither
an underscore nor anything else that the page takes for formatting, as long as the host's name has none.
"""

import mimetypes
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from common.dialects import fileuploader, mirage
from common.dialects.mirage import MirageRoute, Refused
from common.errors import Forbidden, InvalidInput, NotFound, StorageFull, TooLarge, Unavailable
from common.expiry import Expiry
from common.http.forms import Field, FilePart, FormStream
from common.http.public_url import base_url
from common.identities import Identities
from common.identity import Identity
from common.statuses import headers_of
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.dialects.form_upload import FORM_ALLOWANCE, FormUpload, store_part
from upload_service.rooms import PostedFile, Rooms
from upload_service.shares import Shares

MAX_SIZE = 24 * 1024 * 1024
NO_TOKEN = "Invalid token or token missing"  # noqa: S105  (what is said, not what is secret)
UNKNOWN_TOKEN = "Unauthorized access"  # noqa: S105
NO_FILE = "No file provided"
NO_NAME = "No file name provided"
NO_ROOM = "No room ID provided"
TOO_LARGE = "File size exceeds the 24MB limit"
NOT_A_MEMBER = "You are not a member of this room"
FAILED = "File upload failed"

_TYPES = mimetypes.MimeTypes()


@dataclass(frozen=True, slots=True)
class Mirage:
    """What the dialect's route works with."""

    context: Context
    shares: Shares
    rooms: Rooms
    public_url: str


@dataclass(slots=True)
class Form:
    """What has come of a form."""

    sender: Identity
    upload: FormUpload
    room: str = ""
    """As it was sent."""
    joined: int | None = None
    """The room's id, once it is sure that the sender is in it."""
    has_file: bool = False


def router(served: Mirage) -> APIRouter:
    """The upload of the dialect."""
    routes = APIRouter(route_class=MirageRoute)
    routes.add_api_route("/api/upload_file", Upload(served).upload, methods=["POST"], response_class=Response)
    return routes


class Upload:
    """`POST /api/upload_file`: a form with a `file` and a `room_id`, in any order."""

    def __init__(self, served: Mirage) -> None:
        self._with = served

    async def upload(self, request: Request) -> Response:
        """Store, share and post the file; when any of it fails, nothing is left.

        That it could not be stored is told as 500, which is the dialect's own word for it.
        """
        served = self._with
        sender = await _sender(request)
        try:
            async with FormUpload(served.context, served.shares) as upload:
                form = Form(sender, upload)
                await self._receive(_form(request), form)
                posted = await self._share(request, form)
                await self._post(form, posted)
        except (Unavailable, StorageFull) as error:
            return JSONResponse({"error": f"{FAILED}: {error.message}"}, 500, headers_of(error))
        return JSONResponse({"message": "File uploaded successfully", "file_url": posted.url})

    async def _receive(self, parts: FormStream, form: Form) -> None:
        """Read the form and store its file. Raises `Refused`: the first of what is wrong, in the contract's order.

        The sender's right to the room is checked before anything is stored, if the room comes first.
        """
        async for part in parts:
            if isinstance(part, Field):
                form.room = part.text if part.name == "room_id" else form.room
            elif part.name == "file":
                form.has_file = True
                if part.filename and form.upload.session is None:
                    await self._store(part, form)
        if not form.has_file:
            raise Refused(400, NO_FILE)
        if form.upload.session is None:
            raise Refused(400, NO_NAME)
        await self._enter(form)

    async def _store(self, part: FilePart, form: Form) -> None:
        if form.room:
            await self._enter(form)
        if part.certain() > MAX_SIZE:
            raise Refused(400, TOO_LARGE)
        session = await form.upload.begin(NewUpload(part.filename, owner=form.sender.account_id))
        try:
            await store_part(self._with.context, session, part, MAX_SIZE)
        except TooLarge:
            raise Refused(400, TOO_LARGE) from None

    async def _enter(self, form: Form) -> None:
        """Make sure that the sender is in the room. Raises `Refused`."""
        if not form.room.strip():
            raise Refused(400, NO_ROOM)
        room_id = mirage.number_of(form.room.strip())
        if room_id is None:
            raise Refused(403, NOT_A_MEMBER)
        if room_id != form.joined and not await self._with.rooms.is_member(room_id, form.sender):
            raise Refused(403, NOT_A_MEMBER)
        form.joined = room_id

    async def _share(self, request: Request, form: Form) -> PostedFile:
        assert form.upload.session is not None, "a form without a file has been refused"
        name = form.upload.session.file_name
        session, shared = await form.upload.share(Expiry(None, None), "link", fileuploader.extension(name))
        url = f"{base_url(request, self._with.public_url)}/file/{shared.code}"
        kind = _TYPES.guess_type(name)[0] or "application/octet-stream"
        return PostedFile(name, session.size or 0, kind, url, shared.id)

    async def _post(self, form: Form, file: PostedFile) -> None:
        assert form.joined is not None, "a form without a room has been refused"
        try:
            await self._with.rooms.post_file(form.joined, form.sender, file)
        except (NotFound, Forbidden) as error:
            # Who was in the room a moment ago is not any more; or they may only read there, which chat says by itself.
            left = isinstance(error, NotFound) or error.code == "not_a_member"
            raise Refused(403, NOT_A_MEMBER if left else error.message) from None


async def _sender(request: Request) -> Identity:
    """Whose upload it is. Raises `Refused` in the words of this call alone."""
    identities: Identities = request.app.state.identities
    authorization = request.headers.get("authorization")
    return await mirage.identify(identities, authorization, Refused(401, NO_TOKEN), UNKNOWN_TOKEN)


def _form(request: Request) -> FormStream:
    """The form, no longer than one with the largest file. Raises `Refused` for a body that is none."""
    try:
        return FormStream(request, limit=MAX_SIZE + FORM_ALLOWANCE)
    except InvalidInput:
        raise Refused(400, NO_FILE) from None
