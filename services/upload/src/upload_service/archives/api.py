"""`/internal/archives/{share}/{tag}`: the bytes of an archive, for the gateway."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from common.http.streaming import streamed
from common.ranges import ByteRange, Unsatisfiable, parse_range
from upload_service.archives.context import Context
from upload_service.archives.opening import open_archive
from upload_service.archives.sending import send
from upload_service.edge import context_of

router = APIRouter(prefix="/internal/archives", include_in_schema=False)


@router.api_route("/{share_id}/{tag}", methods=["GET", "HEAD"], response_class=Response)
async def read(request: Request, share_id: UUID, tag: str, ticket: str) -> Response:
    """The archive, or one range of it. The ticket is the one that the answer to a download brought to the gateway."""
    context = context_of(request, Context)
    opened = await open_archive(context, share_id, tag, ticket)
    size = opened.archive.size
    try:
        # The gateway has judged all conditions.
        part = parse_range(request.headers.get("range"), size)
    except Unsatisfiable:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    asked = part or ByteRange(0, size)
    headers = {"Content-Length": str(asked.length), "Accept-Ranges": "bytes"}
    if part:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size}"
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return await streamed(send(context, opened, asked.start, asked.end), status, headers)
