"""curl and its like: `/c/CODE` is the content itself, and `/c/CODE/KEY` ends the share."""

import hashlib

from fastapi import APIRouter, Request, Response

from common.dialects.curl import PLACE, CurlRoute, text
from common.downloads import repr_digest
from common.http.downloads import SANDBOX
from common.http.downloads import download as download_answer
from share_service.downloads.downloading import start_download
from share_service.downloads.guesses import counted_redemption
from share_service.downloads.requests import download_request
from share_service.edge import address_of, context_of
from share_service.shares.by_key import end_code
from share_service.shares.model import Share

router = APIRouter(prefix=PLACE, route_class=CurlRoute, include_in_schema=False)


@router.api_route("/{code}", methods=["GET", "HEAD"])
async def fetch(request: Request, code: str) -> Response:
    """The content with this code. A GET takes a use, unless a lease covers it."""
    found = await start_download(context_of(request), "code", code, download_request(request))
    if found.share.content_kind == "text":
        # A HEAD takes no use, so it tells nothing of the text.
        return _text_answer(found.share if request.method == "GET" else None)
    return download_answer(
        stored_at=found.stored_at,
        size=found.share.size,
        sha256=found.sha256,
        media_type="application/octet-stream",
        name=found.share.name,
        only=found.range,
    )


@router.delete("/{code}/{key}")
async def delete(request: Request, code: str, key: str) -> Response:
    """End the share with this code, for whoever has its deletion key. A wrong key counts like a wrong code."""
    context = context_of(request)
    async with counted_redemption(context, await context.policy.current(), address_of(request), code):
        await end_code(context, code, key)
    return text("Deleted.")


def _text_answer(share: Share | None) -> Response:
    """The text of a share as it was sent; without one, the headers alone."""
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
    }
    content = (share.body or "").encode() if share else b""
    if share:
        headers["Repr-Digest"] = repr_digest(hashlib.sha256(content).digest())
    return Response(content, media_type="text/plain; charset=utf-8", headers=headers)
