"""`/internal/page`: the document of an operator's own page. The gateway asks for it in place of the file itself.

It says nothing that is secret, and the gateway leads nobody else here, so it asks for no token.
"""

import asyncio
import hashlib
from pathlib import Path

from fastapi import APIRouter, Request, Response

from common.errors import NotFound
from share_service.edge import context_of
from share_service.policy.filling import filled

router = APIRouter(include_in_schema=False)


@router.api_route("/internal/page", methods=["GET", "HEAD"], response_class=Response)
async def read_page(request: Request) -> Response:
    """The document, filled in. Raises `NotFound` without one."""
    path: Path | None = request.app.state.page_document
    if path is None:
        raise NotFound
    policy = await context_of(request).policy.current()
    try:
        document = await asyncio.to_thread(path.read_text, encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise NotFound from None
    body = filled(document, policy).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/html", headers=headers)
