"""File Uploader: its upload (sections 2 and 3 of its document: `/api/upload` and the aliases of later clients).

Its files are shares in the form of a link, which the share service hands out; accounts are auth's.
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
from common.limits import Limiter
from upload_service.content.model import UploadSession
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.dialects.form_upload import FORM_ALLOWANCE, FormUpload, store_part
from upload_service.shares import Shared, Shares

MOST_USES = 10_000
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileUploader:
    """What the dialect's routes work with."""

    context: Context
    shares: Shares
    limiter: Limiter
    uploads_per_minute: int
    """From one address."""
    max_size: int
    """In bytes."""
    public_url: str


def router(uploader: FileUploader) -> APIRouter:
    """The upload half of the dialect."""
    routes = APIRouter(route_class=FileUploaderRoute)
    upload = Upload(uploader)
    routes.add_api_route("/api/upload", upload.reference, methods=["POST"], response_class=Response)
    routes.add_api_route("/api/upload/{group_id}", upload.alias, methods=["POST"], response_class=Response)
    return routes


@dataclass(frozen=True, slots=True)
class Sender:
    """Who uploads: an account, or nobody, and then why."""

    identity: Identity | None
    error: CredentialError | None

    @property
    def auth_error(self) -> dict[str, Any]:
        return dialect.auth_error(self.error) if self.error else {}


class Upload:
    """`POST /api/upload` and `/api/upload/{group_id}`: one form, one file named `file`."""

    def __init__(self, uploader: FileUploader) -> None:
        self._with = uploader

    async def reference(self, request: Request) -> Response:
        """The reference's own path, which wants an extension."""
        return await self._upload(request, await _sender(request), needs_extension=True)

    async def alias(self, request: Request, group_id: str) -> Response:
        """The path of later clients: `private` is one's own account; groups there are none."""
        sender = await _sender(request)
        if group_id != dialect.PRIVATE:
            _refuse_group(group_id, sender)
        name = sender.identity.name if sender.identity else None
        return await self._upload(request, sender, needs_extension=False, username=name)

    async def _upload(self, request: Request, sender: Sender, *, needs_extension: bool, **more: Any) -> Response:
        uploader = self._with
        # The administrator's word on guests holds for every protocol.
        if sender.error and not (await uploader.shares.policy()).open_upload:
            raise sender.error
        async with dialect.counted_call(uploader.limiter, "upload", uploader.uploads_per_minute, request):
            expiry = Expiry(None, _max_uses(request))
            wants_extension = dialect.flag(request.query_params.get("include_ext"))
            async with FormUpload(uploader.context, uploader.shares) as upload:
                name = await self._receive(_form(request, uploader.max_size), sender, upload, needs_extension)
                ending = dialect.extension(name) if wants_extension else ""
                session, shared = await upload.share(expiry, "link", ending)
        return self._answer(request, sender, session, shared, more)

    async def _receive(self, form: FormStream, sender: Sender, upload: FormUpload, needs_extension: bool) -> str:
        """Store the form's file; its name. Raises `Refused`: the first of what is wrong in the contract's order."""
        try:
            async for part in form:
                if upload.session is None and isinstance(part, FilePart) and part.name == "file" and part.filename:
                    await self._store(part, sender, upload, needs_extension)
        except TooLarge:
            raise self._too_large() from None
        if upload.session is None:
            raise _nothing()
        return upload.session.file_name

    async def _store(self, part: FilePart, sender: Sender, upload: FormUpload, needs_extension: bool) -> None:
        if needs_extension and not dialect.extension(part.filename):
            raise Refused(400, "Bad file extension")
        if part.certain() > self._with.max_size:
            raise self._too_large()
        owner = sender.identity.account_id if sender.identity else None
        session = await upload.begin(NewUpload(part.filename, owner=owner))
        await store_part(self._with.context, session, part, self._with.max_size)

    def _too_large(self) -> Refused:
        return Refused(413, f"File size exceeds the limit ({round(self._with.max_size / MIB, 2):g}MB)")

    def _answer(
        self, request: Request, sender: Sender, session: UploadSession, shared: Shared, more: dict[str, Any]
    ) -> Response:
        created_at = shared.created_at.timestamp()
        return dialect.ok(
            "File uploaded successfully",
            file_url=shared.code,
            file_url_full=f"{base_url(request, self._with.public_url)}/file/{shared.code}",
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
    """Who uploads; a token that is missing or bad does not keep anybody from it."""
    identities: Identities = request.app.state.identities
    try:
        return Sender(await dialect.identify(identities, request.headers.get("authorization")), None)
    except CredentialError as error:
        return Sender(None, error)


def _refuse_group(group_id: str, sender: Sender) -> None:
    """Raise what an upload to a group hears, where there are none: a `CredentialError`, or `Refused`."""
    if not (group_id.isascii() and group_id.isdecimal()):
        raise Refused(400, "Invalid group id")
    if sender.error:
        raise sender.error
    raise Refused(404, "Group not found")


def _max_uses(request: Request) -> int | None:
    """How often the file may be read; None: any number of times. Raises `Refused`."""
    text = request.query_params.get("max_uses", "0")
    uses = int(text) if text.isascii() and text.isdecimal() and len(text) <= 20 else -1
    if not 0 <= uses <= MOST_USES:
        raise Refused(400, "Invalid max_uses parameter")
    return uses or None


def _form(request: Request, max_size: int) -> FormStream:
    """The form, no longer than one with the largest file. Raises `Refused` for a body that is none."""
    try:
        return FormStream(request, limit=max_size + FORM_ALLOWANCE)
    except InvalidInput:
        raise _nothing() from None


def _nothing() -> Refused:
    return Refused(400, "No file uploaded")
