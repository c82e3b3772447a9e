"""MirrorAce: its upload half (sections 2, 4 and 5 of its contract).

What has become of files, and their pages, are the share service's; API keys are auth's.
"""

from fastapi import APIRouter, Request, Response

from common.dialects import mirrorace as dialect
from common.dialects.mirrorace import MirrorAceRoute
from common.http.public_url import base_url
from upload_service.content import upload_keys
from upload_service.dialects.mirrorace.steps import MirrorAce, admit, complete, identify, password_hash
from upload_service.dialects.mirrorace.upload import Upload
from upload_service.fetches.jobs import NewFetch
from upload_service.fetches.model import ShareTerms
from upload_service.fetches.waiting import fetch_now
from upload_service.mirrors.choices import mirror_ids, usable_mirrors


def router(served: MirrorAce) -> APIRouter:
    """The upload half of the dialect."""
    routes = APIRouter(prefix="/api/v1", route_class=MirrorAceRoute)
    variables, upload, remote = Variables(served), Upload(served), Remote(served)
    routes.add_api_route("/file/upload", variables.issue, methods=["POST"], response_class=Response)
    routes.add_api_route("/upload", upload.upload, methods=["POST"], response_class=Response)
    routes.add_api_route("/upload/remote", remote.upload, methods=["POST"], response_class=Response)
    return routes


class Variables:
    """`POST /api/v1/file/upload` (section 2): what an upload needs to know."""

    def __init__(self, served: MirrorAce) -> None:
        self._with = served

    async def issue(self, request: Request) -> Response:
        """A fresh tracker and key, and where to use them."""
        served = self._with
        identity = await identify(request, await dialect.read_fields(request))
        mirrors = await usable_mirrors(served.context, identity)
        usable = {mirror.id for mirror in mirrors}
        key, secret = await upload_keys.issue_key(served.context, identity)
        server = base_url(request, served.public_url)
        return dialect.success(
            {
                "server": server,
                "server_file": f"{server}/api/v1/upload",
                "server_remote": f"{server}/api/v1/upload/remote",
                "cTracker": key.id.hex,
                "mirrors": {str(known): known in usable for known in await mirror_ids(served.context)},
                # Clients ask for all of them.
                "default_mirrors": [str(mirror.id) for mirror in mirrors if mirror.is_default][: served.max_mirrors],
                "max_chunk_size": str(served.max_chunk_size),
                "max_file_size": str(served.max_file_size),
                "max_mirrors": str(served.max_mirrors),
                "upload_key": secret,
                "upload_key_expiry": dialect.date_text(key.expires_at),
            }
        )


class Remote:
    """`POST /api/v1/upload/remote` (section 5): a URL is fetched while the client waits."""

    def __init__(self, served: MirrorAce) -> None:
        self._with = served

    async def upload(self, request: Request) -> Response:
        """The answer to a complete upload, once it is one."""
        served = self._with
        fields = await dialect.read_fields(request)
        admitted = await admit(served, request, fields)
        url = dialect.required(fields, "url")
        admitted.check_begins()
        new = NewFetch(
            url,
            ShareTerms("page", password_hash=await password_hash(served, admitted)),
            max_size=served.max_file_size,
            mirrors=list(admitted.mirrors),
        )
        done = await fetch_now(served.context, admitted.identity, new, request.is_disconnected)
        return complete(served, request, done.file_name or "", done.size or 0, done.share_code or "")
