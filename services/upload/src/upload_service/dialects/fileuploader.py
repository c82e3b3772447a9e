"""File Uploader: its upload (sections 2 and 3 of its document: `/api/upload` and the aliases of later clients).

Its files are shared by link; the share service makes the links, and accounts are auth's.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from common.dialects import fileuploader as dialect
from common.dialects.fileuploader import FileUploaderRoute, Refused
from common.errors import InvalidInput, TooLarge
from common.expiry import Expiry
from common.http.forms import FilePart, FormStream
from common.http.public_url import base_url
from common.identities import Identities
from common.identity import CredentialError, Identity
from upload_service.content.model import UploadSession
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.dialects.form_upload import FORM_ALLOWANCE, SECOND_FILE, FormUpload, check_form
from upload_service.edge import context_of
from upload_service.shares import Shared

MOST_USES = 10_000
MIB = 1024 * 1024

router = APIRouter(route_class=FileUploaderRoute)


@dataclass(frozen=True, slots=True)
class Sender:
    """The account that uploads, or nobody, and then why."""

    identity: Identity | None
    error: CredentialError | None

    @property
    def auth_error(self) -> dict[str, Any]:
        return dialect.auth_error(self.error) if self.error else {}


@router.post("/api/upload", response_class=Response)
async def upload_reference(request: Request) -> Response:
    """The reference's own path, which requires an extension."""
    return await _upload(request, await _sender(request), needs_extension=True)


@router.post("/api/upload/{group_id}", response_class=Response)
async def upload_alias(request: Request, group_id: str) -> Response:
    """The path of later clients: `private` is the sender's own account; groups do not exist here."""
    sender = await _sender(request)
    if group_id != dialect.PRIVATE:
        _refuse_group(group_id, sender)
    name = sender.identity.name if sender.identity else None
    return await _upload(request, sender, needs_extension=False, username=name)


async def _upload(request: Request, sender: Sender, *, needs_extension: bool, **more: Any) -> Response:
    """Store and share the one file of the form, which is named `file`. `more`: further values of the answer."""
    context = context_of(request, Context)
    # The administrator's policy on guests holds for every protocol.
    if sender.error and not (await context.shares.policy()).open_upload:
        raise sender.error
    async with dialect.counted_call(context.limiter, "upload", context.file_uploader_uploads_per_minute, request):
        expiry = Expiry(None, _max_uses(request))
        wants_extension = dialect.flag(request.query_params.get("include_ext"))
        async with FormUpload(context) as upload:
            name = await _receive(context, request, sender, upload, needs_extension)
            ending = dialect.extension(name) if wants_extension else ""
            session, shared = await upload.share(expiry, "link", ending)
    return _answer(request, context, sender, session, shared, more)


async def _receive(
    context: Context, request: Request, sender: Sender, upload: FormUpload, needs_extension: bool
) -> str:
    """Store the form's file; its name. Raises `Refused`: the first of what is wrong in the contract's order."""
    max_size = context.file_uploader_max_size
    owner = sender.identity.account_id if sender.identity else None
    form = _form(request, max_size)
    await check_form(context, owner, form)
    try:
        async for part in form:
            # A browser sends a field that was not filled in as a file without a name.
            if isinstance(part, FilePart) and part.name == "file" and part.filename:
                if upload.session:
                    raise Refused(400, SECOND_FILE)
                if needs_extension and not dialect.extension(part.filename):
                    raise Refused(400, "Bad file extension")
                if part.certain() > max_size:
                    raise _too_large(max_size)
                await upload.begin(NewUpload(part.filename, owner=owner), part)
                await upload.store_part(part, max_size)
    except TooLarge:
        raise _too_large(max_size) from None
    if upload.session is None:
        raise _nothing()
    return upload.session.file_name


def _answer(
    request: Request, context: Context, sender: Sender, session: UploadSession, shared: Shared, more: dict[str, Any]
) -> Response:
    created_at = shared.created_at.timestamp()
    return dialect.ok(
        "File uploaded successfully",
        file_url=shared.code,
        file_url_full=f"{base_url(request, context.public_url)}/file/{shared.code}",
        key=shared.delete_key,
        ext=dialect.extension(session.file_name),
        size=dialect.size_text(session.size or 0),
        user_filename=dialect.short_name(session.file_name),
        # The misspelling is what clients read.
        craeted_at=created_at,
        created_at=created_at,
        synced=sender.identity is not None,
        auth_error=sender.auth_error,
        **more,
    )


async def _sender(request: Request) -> Sender:
    """The sender; a token that is missing or bad does not prevent an upload."""
    identities: Identities = request.app.state.identities
    try:
        return Sender(await dialect.identify(identities, request.headers.get("authorization")), None)
    except CredentialError as error:
        return Sender(None, error)


def _refuse_group(group_id: str, sender: Sender) -> None:
    """Raise the error for an upload to a group, as no group exists: a `CredentialError`, or `Refused`."""
    if not (group_id.isascii() and group_id.isdecimal()):
        raise Refused(400, "Invalid group id")
    if sender.error:
        raise sender.error
    raise Refused(404, "Group not found")


def _max_uses(request: Request) -> int | None:
    """The number of times that the file may be read; None: any number. Raises `Refused`."""
    text = request.query_params.get("max_uses", "0")
    uses = int(text) if text.isascii() and text.isdecimal() and len(text) <= 20 else -1
    if not 0 <= uses <= MOST_USES:
        raise Refused(400, "Invalid max_uses parameter")
    return uses or None


def _form(request: Request, max_size: int) -> FormStream:
    """The form, no longer than one with the largest file. Raises `Refused` for any other body."""
    try:
        return FormStream(request, limit=max_size + FORM_ALLOWANCE)
    except InvalidInput:
        raise _nothing() from None


def _too_large(max_size: int) -> Refused:
    return Refused(413, f"File size exceeds the limit ({round(max_size / MIB, 2):g}MB)")


def _nothing() -> Refused:
    return Refused(400, "No file uploaded")
