"""MirrorAce: `POST /api/v1/upload` (section 4 of its contract): a file in one form, or a chunk of a file.

The fields come first, then one file. Nothing is kept of a request that is refused.
"""

from collections.abc import AsyncIterator, Sequence

from fastapi import Request, Response

from common.dialects import mirrorace as dialect
from common.dialects.mirrorace import Refused
from common.errors import DomainError, InvalidInput, TooLarge
from common.expiry import Expiry
from common.http.bodies import content_length
from common.http.forms import Field, FilePart, FormStream
from common.store import BodyLength
from upload_service.content import upload_keys
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.dialects.form_upload import FORM_ALLOWANCE, SECOND_FILE, FormUpload
from upload_service.dialects.mirrorace.admission import REQUIRED, Admitted, admit, password_hash
from upload_service.dialects.mirrorace.answers import complete
from upload_service.dialects.mirrorace.chunks import Chunk, chunk_limit, receive_chunk
from upload_service.dialects.mirrorace.ranges import ContentRange

FILE_NAMES = ("files", "files[]")
BEFORE_FILE = (*REQUIRED, "file_password")
NO_FILE = "files is missing"

FormParts = AsyncIterator[Field | FilePart]


async def receive_form(context: Context, request: Request) -> Response:
    """Store the form's file, or this chunk of it. The answer to the last chunk has the file's page."""
    longest = chunk_limit(context) + FORM_ALLOWANCE
    if (content_length(request) or 0) > longest:
        raise _too_large(context)
    form = FormStream(request, longest, count=dialect.FIELD_COUNT, field_limit=dialect.FIELD_LIMIT)
    try:
        return await _receive(context, request, aiter(form))
    except (DomainError, BodyLength) as error:
        # Clients do not read an answer that ends the connection while they are sending.
        await form.body.drain()
        if isinstance(error, TooLarge):
            raise _too_large(context) from error
        if isinstance(error, BodyLength):
            raise InvalidInput("the form has too much after its file") from error
        raise


def _too_large(context: Context) -> Refused:
    return Refused(f"A chunk has at most {context.mirrorace_max_chunk_size} bytes")


async def _receive(context: Context, request: Request, form: FormParts) -> Response:
    fields, file = await _up_to_file(form)
    if file and (late := [name for name in REQUIRED if not dialect.value_of(fields, name)]):
        raise Refused(f"{late[0]} is missing before the file")
    admitted = await admit(context, request, fields)
    if file is None or not file.filename:
        raise Refused(NO_FILE)
    if file.certain() > chunk_limit(context):
        raise TooLarge
    header = request.headers.get("content-range")
    if header is None:
        return await _receive_whole(context, request, admitted, file, form)
    chunk = Chunk(request, admitted, ContentRange.parse(header), file.filename)
    return await receive_chunk(context, chunk, file, lambda: _to_end(form))


async def _up_to_file(form: FormParts) -> tuple[Sequence[Field], FilePart | None]:
    """The fields before the file, and the file. Some clients send a text in its place, which is a field."""
    fields: list[Field] = []
    async for part in form:
        if isinstance(part, Field):
            fields.append(part)
        elif part.name in FILE_NAMES:
            return fields, part
    return fields, None


async def _receive_whole(
    context: Context, request: Request, admitted: Admitted, file: FilePart, form: FormParts
) -> Response:
    """A form without a range has all of the file."""
    admitted.check_may_begin()
    async with FormUpload(context) as upload:
        new = NewUpload(file.filename, owner=admitted.identity.account_id, mirrors=admitted.mirrors)
        await upload.begin(new, file)
        await upload.store_part(file, min(chunk_limit(context), context.mirrorace_max_file_size))
        await _to_end(form)
        hashed = await password_hash(context, admitted)
        session, shared = await upload.share(Expiry(None, None), "page", password_hash=hashed)
        await upload_keys.note_session(context, admitted.key, session.id)
    return complete(context, request, session.file_name, session.size or 0, shared.code)


async def _to_end(form: FormParts) -> None:
    """Read the fields after the file. Raises `Refused` for those that belong before it, and for another file."""
    async for part in form:
        if isinstance(part, FilePart):
            if part.name in FILE_NAMES:
                raise Refused(SECOND_FILE)
        elif part.name in BEFORE_FILE or dialect.mirror_ids([part]):
            raise Refused(f"{part.name} comes after the file")
