"""MirrorAce: the routes of its upload half (sections 2, 4 and 5 of its contract).

The state and the pages of files are the share service's; API keys are auth's.
"""

from fastapi import APIRouter, Request, Response

from common.dialects import mirrorace as dialect
from common.dialects.mirrorace import MirrorAceRoute
from common.http.public_url import base_url
from upload_service.content import upload_keys
from upload_service.context import Context
from upload_service.dialects.mirrorace.admission import account_of, admit, password_hash
from upload_service.dialects.mirrorace.answers import complete
from upload_service.dialects.mirrorace.upload import receive_form
from upload_service.edge import context_of
from upload_service.fetches.jobs import NewFetch
from upload_service.fetches.model import ShareTerms
from upload_service.fetches.waiting import fetch_now
from upload_service.mirrors.choices import mirror_ids, usable_mirrors

router = APIRouter(prefix="/api/v1", route_class=MirrorAceRoute)


@router.post("/file/upload", response_class=Response)
async def prepare(request: Request) -> Response:
    """Section 2: a new tracker and upload key, and everything else that an upload needs to know."""
    context = context_of(request, Context)
    identity = await account_of(request, await dialect.read_fields(request))
    mirrors = await usable_mirrors(context, identity)
    usable = {mirror.id for mirror in mirrors}
    # Clients upload to all of these.
    defaults = [str(mirror.id) for mirror in mirrors if mirror.is_default][: context.mirrorace_max_mirrors]
    key, secret = await upload_keys.issue_key(context, identity)
    server = base_url(request, context.public_url)
    return dialect.success(
        {
            "server": server,
            # By the tracker in it, the gateway sends all chunks of a file to one replica, which hashes them in passing.
            "server_file": f"{server}/api/v1/upload?tracker={key.id.hex}",
            "server_remote": f"{server}/api/v1/upload/remote",
            "cTracker": key.id.hex,
            "mirrors": {str(known): known in usable for known in await mirror_ids(context)},
            "default_mirrors": defaults,
            "max_chunk_size": str(context.mirrorace_max_chunk_size),
            "max_file_size": str(context.mirrorace_max_file_size),
            "max_mirrors": str(context.mirrorace_max_mirrors),
            "upload_key": secret,
            "upload_key_expiry": dialect.date_text(key.expires_at),
        }
    )


@router.post("/upload", response_class=Response)
async def upload(request: Request) -> Response:
    """Section 4: a file in one form, or a chunk of a file."""
    return await receive_form(context_of(request, Context), request)


@router.post("/upload/remote", response_class=Response)
async def upload_from_url(request: Request) -> Response:
    """Section 5: a URL is fetched while the client waits. The answer is that to a complete upload."""
    context = context_of(request, Context)
    fields = await dialect.read_fields(request)
    admitted = await admit(context, request, fields)
    url = dialect.required(fields, "url")
    admitted.check_may_begin()
    new = NewFetch(
        url,
        ShareTerms("page", password_hash=await password_hash(context, admitted)),
        max_size=context.mirrorace_max_file_size,
        mirrors=list(admitted.mirrors),
    )
    done = await fetch_now(context, admitted.identity, new, request.is_disconnected)
    return complete(context, request, done.file_name or "", done.size or 0, done.share_code or "")
