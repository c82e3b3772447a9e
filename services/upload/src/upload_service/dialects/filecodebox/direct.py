"""FileCodeBox: `POST /share/file/`, one form with one file (section 3 of its wire contract)."""

from typing import Any

from fastapi import APIRouter, Request, Response

from common import clock
from common.dialects import filecodebox as dialect
from common.dialects.filecodebox import FieldError, FileCodeBoxRoute, Refused, expiry_fields
from common.errors import DomainError
from common.http.forms import Field, FormStream
from common.policy import SizeRefused, TypeRefused, counted_upload
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.dialects.filecodebox.steps import Admitted, admit, form_of, route, store_file
from upload_service.dialects.form_upload import FORM_ALLOWANCE, SECOND_FILE, FormUpload, check_form
from upload_service.edge import address_of, context_of

router = APIRouter(route_class=FileCodeBoxRoute)


@route(router, "POST", "/share/file/")
async def share_file(request: Request) -> Response:
    context = context_of(request, Context)
    admitted = await admit(context, request)
    policy = admitted.policy
    async with counted_upload(context.limiter, policy, address_of(request)):
        form = form_of(request)
        if form.body.certain() > policy.upload_size + FORM_ALLOWANCE:
            raise SizeRefused(policy.upload_size)
        await check_form(context, admitted.owner, form)
        async with FormUpload(context) as upload:
            fields = await _receive(form, admitted, upload)
            expiry = policy.expiry_of(*expiry_fields(fields, positive=True), clock.now())
            session, shared = await upload.share(expiry)
    return dialect.ok({"code": shared.code, "name": session.file_name})


async def _receive(form: FormStream, admitted: Admitted, upload: FormUpload) -> dict[str, Any]:
    """Store the form's file, and return its other fields, which may come before or after it."""
    policy = admitted.policy
    fields: dict[str, Any] = {}
    refusal: DomainError | None = None
    async for part in form:
        if isinstance(part, Field):
            fields[part.name] = part.text
        elif part.name == "file":
            if upload.session or refusal:
                raise refusal or Refused(400, SECOND_FILE)
            expiry_fields(fields, positive=True)
            try:
                policy.check_type(part.filename)
                await upload.begin(NewUpload(part.filename, owner=admitted.owner), part)
                await store_file(upload.store_part, part, policy.upload_size, policy)
            except (Refused, SizeRefused, TypeRefused) as error:
                # A misshaped field is reported first, even one that follows, but not at the price of a large body.
                if form.body.length is None or form.body.certain() > FORM_ALLOWANCE:
                    raise
                refusal = error
    expiry_fields(fields, positive=True)
    if refusal:
        raise refusal
    if upload.session is None:
        raise FieldError("missing", ["body", "file"], "Field required")
    return fields
