"""`/internal/files/{id}/page`, for the share service: the facts about a file that its page shows."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from common.http.internal import called_by
from upload_service.content import files
from upload_service.edge import context_of
from upload_service.mirrors import wishes
from upload_service.mirrors.context import Context

router = APIRouter(prefix="/internal/files", include_in_schema=False, dependencies=[Depends(called_by("share"))])


@router.post("/{file_id}/page")
async def describe(request: Request, file_id: UUID) -> dict[str, Any]:
    """The file, and its state on each of its mirrors."""
    context = context_of(request, Context)
    file = await files.find_file(context, file_id)
    found = await wishes.replicas_of_file(context, file_id)
    return {
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256.hex() if file.sha256 else None,
        "state": file.state,
        "password_hash": file.password_hash,
        "mirrors": [
            {
                "id": replica.mirror_id,
                "name": replica.mirror,
                "state": replica.state,
                "url": replica.url,
                "bytes_done": replica.bytes_done,
            }
            for replica in found
        ],
    }
