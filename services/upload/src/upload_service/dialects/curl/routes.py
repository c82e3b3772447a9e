"""curl: sending a file to the bare address by `PUT` or by a form, and a text that says how."""

from fastapi import APIRouter, Request, Response

from common import clock
from common.dialects.curl import CurlRoute
from common.errors import InvalidInput
from common.http.bodies import RawBody, content_length
from common.http.forms import Field, FormStream
from common.names import UNNAMED, clean_name
from common.policy import counted_upload
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.dialects.curl import answers
from upload_service.dialects.curl.wishes import HEADERS, Wishes, of_headers, with_fields
from upload_service.dialects.form_upload import FORM_ALLOWANCE, SECOND_FILE, FormUpload, check_form
from upload_service.dialects.senders import Sender, admit
from upload_service.edge import address_of, context_of

NO_FILE = "The form has no file. Send one with -F file=@FILE"

router = APIRouter(route_class=CurlRoute, include_in_schema=False)


class PartRefused(InvalidInput):
    """A file is sent whole here. Resumable uploads are at /v1/uploads, by tus."""

    code = "part_refused"


class NameTaken(InvalidInput):
    """This name is an address of the system. Send the file under another name."""

    code = "name_taken"


@router.api_route("/", methods=["GET", "HEAD"], response_class=Response)
async def usage(request: Request) -> Response:
    """The text for people at a terminal who do not know yet how to send a file."""
    context = context_of(request, Context)
    return answers.usage(request, context, await context.shares.policy())


@router.put("/", response_class=Response)
async def put_unnamed(request: Request) -> Response:
    """Store and share the body, such as the output of another program."""
    return await _put(request, UNNAMED)


@router.put("/{name}", response_class=Response)
async def put(request: Request, name: str) -> Response:
    """Store and share the body under a name."""
    if any(getattr(route, "path", "") == request.url.path for route in request.app.routes):
        raise NameTaken
    return await _put(request, clean_name(name))


@router.post("/", response_class=Response)
async def post(request: Request) -> Response:
    """Store and share the file of a form. Its other fields stand for headers, and may follow the file."""
    context = context_of(request, Context)
    sender = await admit(context, request)
    wishes = _checked(of_headers(request), sender)
    async with counted_upload(context.limiter, sender.policy, address_of(request)):
        form = FormStream(request, limit=sender.policy.upload_size + FORM_ALLOWANCE)
        await check_form(context, sender.owner, form)
        async with FormUpload(context) as upload:
            fields = await _receive(form, sender, upload)
            return await _share(request, context, upload, _checked(with_fields(wishes, fields), sender), sender)


async def _put(request: Request, name: str) -> Response:
    context = context_of(request, Context)
    if "content-range" in request.headers:
        # curl sends it to resume. Whoever ignores it takes the rest of a file for the whole (RFC 9110, section 14.5).
        raise PartRefused
    sender = await admit(context, request)
    wishes = _checked(of_headers(request), sender)
    sender.policy.check_type(name)
    sender.policy.check_size(content_length(request) or 0)
    async with counted_upload(context.limiter, sender.policy, address_of(request)), FormUpload(context) as upload:
        await upload.begin(NewUpload(name, size=content_length(request), owner=sender.owner))
        await upload.store(RawBody(request), sender.policy.upload_size)
        return await _share(request, context, upload, wishes, sender)


async def _receive(form: FormStream, sender: Sender, upload: FormUpload) -> dict[str, str]:
    """Store the form's file, and return its other fields. Raises `InvalidInput`, and what the policy raises."""
    fields: dict[str, str] = {}
    async for part in form:
        if isinstance(part, Field):
            if part.name not in HEADERS:
                raise InvalidInput(f"a field is one of {', '.join(HEADERS)}, or the file: -F file=@FILE")
            fields[part.name] = part.text
        elif upload.session:
            raise InvalidInput(SECOND_FILE)
        elif part.filename:
            sender.policy.check_type(part.filename)
            sender.policy.check_size(part.certain())
            await upload.begin(NewUpload(part.filename, owner=sender.owner), part)
            await upload.store_part(part, sender.policy.upload_size)
    if upload.session is None:
        raise InvalidInput(NO_FILE)
    return fields


def _checked(wishes: Wishes, sender: Sender) -> Wishes:
    """The wishes, if they can be fulfilled. Raises `InvalidInput`, and what the policy raises."""
    wishes.expiry(sender.policy, clock.now())
    wishes.check_password()
    return wishes


async def _share(request: Request, context: Context, upload: FormUpload, wishes: Wishes, sender: Sender) -> Response:
    """Share what was stored, from now on."""
    hashed = None if wishes.password is None else await context.passwords.hash(wishes.password)
    expiry = wishes.expiry(sender.policy, clock.now())
    session, shared = await upload.share(expiry, password_hash=hashed)
    return answers.sent(request, context, session, shared, expiry)
