"""`/internal/blobs/{id}`: the content of a blob from a replica, for the gateway when the store fails."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from common.downloads import repr_digest
from common.http.streaming import streamed
from common.ranges import ByteRange, Unsatisfiable, parse_range
from upload_service.edge import context_of
from upload_service.mirrors import failover, restoring, tickets
from upload_service.mirrors.context import Context

router = APIRouter(prefix="/internal/blobs", include_in_schema=False)


@router.api_route("/{blob_id}", methods=["GET", "HEAD"], response_class=Response)
async def read(request: Request, blob_id: UUID, ticket: str) -> Response:
    """The blob, or one range of it. The ticket is the one that the answer to a download brought to the gateway."""
    context = context_of(request, Context)
    tickets.check_ticket(context.drivers.sealer, blob_id, ticket)
    blob = await failover.find_blob(context, blob_id)
    try:
        # The gateway has judged all conditions.
        part = parse_range(request.headers.get("range"), blob.size)
    except Unsatisfiable:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{blob.size}"})
    asked = part or ByteRange(0, blob.size)
    headers = {
        "Content-Length": str(asked.length),
        "Accept-Ranges": "bytes",
        "Repr-Digest": repr_digest(blob.sha256),
    }
    if part:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{blob.size}"
    status = 206 if part else 200
    if request.method == "HEAD" or blob.size == 0:
        return Response(status_code=status, headers=headers)
    blocks = failover.read_in_place_of_store(context, blob, asked.start, asked.length)
    return await streamed(blocks, status, headers, BackgroundTask(restoring.restore_soon, context, blob))
