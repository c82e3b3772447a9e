"""`/internal/blobs/{id}`: the content of a blob from a replica, for the gateway when the store fails."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from common.downloads import repr_digest
from upload_service.mirrors import failover, tickets
from upload_service.mirrors.context import Context

_RANGE = re.compile(r"bytes=(?:(\d{1,19})-(\d{0,19})|-(\d{1,19}))", re.ASCII)


def router(context: Context) -> APIRouter:
    """The route. Who asks shows a ticket that the answer to a download brought to the gateway."""
    routes = APIRouter(prefix="/internal/blobs", include_in_schema=False)

    async def read(request: Request, blob_id: UUID, ticket: str) -> Response:
        tickets.check_ticket(context.drivers.sealer, blob_id, ticket)
        blob = await failover.find_blob(context, blob_id)
        span = _span(request, blob.size)
        if span is None:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{blob.size}"})
        start, end, is_part = span
        headers = {
            "Content-Length": str(end - start),
            "Accept-Ranges": "bytes",
            "Repr-Digest": repr_digest(blob.sha256),
        }
        if is_part:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
        status = 206 if is_part else 200
        if request.method == "HEAD" or blob.size == 0:
            return Response(status_code=status, headers=headers)
        blocks = failover.read_from_mirrors(context, blob, start, end - start)
        # Before the status is sent: that no mirror answers is a 503.
        first = await anext(blocks)
        return StreamingResponse(_body(first, blocks), status, headers)

    routes.add_api_route("/{blob_id}", read, methods=["GET", "HEAD"], response_class=Response)
    return routes


async def _body(first: bytes, blocks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(blocks):
        yield first
        async for block in blocks:
            yield block


def _span(request: Request, size: int) -> tuple[int, int, bool] | None:
    """The first byte that is asked for, the one after the last, and whether that is a part (RFC 9110, section 14.2).

    None when there is no such part. All that is not one range, or depends on a validator, is answered by the whole.
    """
    whole = (0, size, False)
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None or "if-range" in request.headers:
        return whole
    first, last, suffix = match.groups()
    if suffix is not None:
        return (max(0, size - int(suffix)), size, True) if int(suffix) and size else None
    if last and int(last) < int(first):
        return whole
    if int(first) >= size:
        return None
    return int(first), min(size, int(last) + 1) if last else size, True
