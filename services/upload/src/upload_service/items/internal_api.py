"""`/internal/uploads` and `/internal/files/facts`, for the share service."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request

from common.http.internal import called_by
from upload_service.content.queries import files
from upload_service.context import Context
from upload_service.edge import context_of
from upload_service.items import states

Ids = Annotated[list[UUID], Body(embed=True, max_length=10_000)]

router = APIRouter(prefix="/internal", include_in_schema=False, dependencies=[Depends(called_by("share"))])


@router.post("/uploads/progress")
async def read_progress(request: Request, session_ids: Ids) -> dict[str, Any]:
    """The progress of these uploads."""
    found = await states.states_of(context_of(request, Context), session_ids)
    return {"uploads": {session_id.hex: progress.to_json() for session_id, progress in found.items()}}


@router.post("/uploads/abort")
async def abort(request: Request, session_ids: Ids) -> dict[str, Any]:
    """Abort those of these uploads that are open, and name the files that the others have become."""
    file_ids = await states.abort_uploads(context_of(request, Context), session_ids)
    return {"file_ids": [file_id.hex for file_id in file_ids]}


@router.post("/files/facts")
async def read_facts(
    request: Request, file_ids: Ids, owner: Annotated[UUID | None, Body(embed=True)] = None
) -> dict[str, Any]:
    """The facts about those of these files that exist and, if `owner` is given, are that account's."""
    async with context_of(request, Context).db.connection() as connection:
        found = await files.files_of_ids(connection, file_ids)
    return {
        "files": [
            {
                "id": file.id.hex,
                "name": file.name,
                "size": file.size,
                "state": file.state,
                "sha256": file.sha256.hex() if file.sha256 else None,
            }
            for file in found
            if owner is None or file.owner == owner
        ]
    }
