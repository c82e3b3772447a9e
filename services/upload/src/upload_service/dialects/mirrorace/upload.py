"""MirrorAce: `POST /api/v1/upload` (section 4 of its contract): a file in one form, or a chunk of one."""

from collections.abc import AsyncIterator, Sequence

from fastapi import Request, Response

from common.dialects import mirrorace as dialect
from common.dialects.mirrorace import Refused
from common.errors import DomainError, InvalidInput, TooLarge
from common.http.bodies import content_length
from common.http.forms import Field, FilePart, FormStream
from common.store import BodyLength
from upload_service.content import upload_keys
from upload_service.content.sessions import NewUpload
from upload_service.dialects.form_upload import FORM_ALLOWANCE, FormUpload, store_part
from upload_service.dialects.mirrorace.chunks import Chunk, Chunks
from upload_service.dialects.mirrorace.ranges import ContentRange
from upload_service.dialects.mirrorace.steps import (
    NO_END,
    REQUIRED,
    Admitted,
    MirrorAce,
    admit,
    complete,
    password_hash,
)

FILE_NAMES = ("files", "files[]")
BEFORE_FILE = (*REQUIRED, "file_password")
NO_FILE = "files is missing"

Parts = AsyncIterator[Field | FilePart]


class Upload:
    """The route. The fields come first, then one file, and nothing of a request that is refused is kept."""

    def __init__(self, served: MirrorAce) -> None:
        self._with = served

    async def upload(self, request: Request) -> Response:
        """Store the form's file, or this chunk of it; the last one is answered with the file's page."""
        longest = self._with.chunk_limit + FORM_ALLOWANCE
        if (content_length(request) or 0) > longest:
            raise self._too_large()
        form = FormStream(request, longest, count=dialect.FIELD_COUNT, field_limit=dialect.FIELD_LIMIT)
        try:
            return await self._receive(request, aiter(form))
        except (DomainError, BodyLength) as error:
            # Clients do not read an answer that ends the connection while they are sending.
            await form.body.drain()
            if isinstance(error, TooLarge):
                raise self._too_large() from error
            if isinstance(error, BodyLength):
                raise InvalidInput("the form has too much after its file") from error
            raise

    def _too_large(self) -> Refused:
        return Refused(f"A chunk has at most {self._with.max_chunk_size} bytes")

    async def _receive(self, request: Request, parts: Parts) -> Response:
        served = self._with
        fields, file = await _up_to_file(parts)
        if file and (late := [name for name in REQUIRED if not dialect.value_of(fields, name)]):
            raise Refused(f"{late[0]} is missing before the file")
        admitted = await admit(served, request, fields)
        if file is None or not file.filename:
            raise Refused(NO_FILE)
        if file.certain() > served.chunk_limit:
            raise TooLarge
        header = request.headers.get("content-range")
        if header is None:
            return await self._whole(request, admitted, file, parts)
        chunk = Chunk(admitted, ContentRange.parse(header), file.filename)
        return await Chunks(served, request, chunk).receive(file, lambda: _to_end(parts))

    async def _whole(self, request: Request, admitted: Admitted, file: FilePart, parts: Parts) -> Response:
        """A form without a range: its file is all there is."""
        served = self._with
        admitted.check_begins()
        async with FormUpload(served.context, served.shares) as upload:
            new = NewUpload(file.filename, owner=admitted.identity.account_id, mirrors=admitted.mirrors)
            session = await upload.begin(new)
            await store_part(served.context, session, file, min(served.chunk_limit, served.max_file_size))
            await _to_end(parts)
            hashed = await password_hash(served, admitted)
            session, shared = await upload.share(NO_END, "page", password_hash=hashed)
            await upload_keys.note_session(served.context, admitted.key, session.id)
        return complete(served, request, session.file_name, session.size or 0, shared.code)


async def _up_to_file(parts: Parts) -> tuple[Sequence[Field], FilePart | None]:
    """The fields before the form's file, and the file. A text in its place, as some clients send, is not it."""
    fields: list[Field] = []
    async for part in parts:
        if isinstance(part, Field):
            fields.append(part)
        elif part.name in FILE_NAMES:
            return fields, part
    return fields, None


async def _to_end(parts: Parts) -> None:
    """Read what follows the file. Raises `Refused` for what should have come before it, and for another file."""
    async for part in parts:
        if isinstance(part, FilePart):
            if part.name in FILE_NAMES:
                raise Refused("Only one file can be uploaded at a time")
        elif part.name in BEFORE_FILE or dialect.mirror_ids([part]):
            raise Refused(f"{part.name} comes after the file")
