"""`/internal/files`, for the share service: how to hand a file out, whose it is, and the release of many."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request

from common.http.internal import called_by
from upload_service.content import digests, files, owning
from upload_service.content.context import Context
from upload_service.edge import context_of

router = APIRouter(prefix="/internal/files", include_in_schema=False, dependencies=[Depends(called_by("share"))])


@router.post("/{file_id}/download")
async def open_download(
    request: Request, file_id: UUID, method: Annotated[Literal["GET", "HEAD"], Body(embed=True)]
) -> dict[str, str | int | None]:
    download = await files.open_download(context_of(request, Context), file_id, method)
    return {
        "store_path": download.stored_at.path,
        "fallback_path": download.stored_at.fallback,
        "sha256": download.sha256.hex(),
        "size": download.size,
        "name": download.name,
        "password_hash": download.password_hash,
    }


@router.post("/{file_id}/password")
async def read_password(request: Request, file_id: UUID) -> dict[str, str | None]:
    return {"password_hash": await files.password_of(context_of(request, Context), file_id)}


@router.post("/{file_id}/adopt")
async def adopt(request: Request, file_id: UUID, owner: Annotated[UUID, Body(embed=True)]) -> dict[str, str]:
    await owning.adopt_file(context_of(request, Context), file_id, owner)
    return {}


@router.post("/release")
async def release(
    request: Request, file_ids: Annotated[list[UUID], Body(embed=True, max_length=10_000)]
) -> dict[str, str]:
    await files.release_files(context_of(request, Context), file_ids)
    return {}


@router.post("/digests")
async def read_digests(
    request: Request, file_ids: Annotated[list[UUID], Body(embed=True, max_length=1000)]
) -> dict[str, dict[str, str]]:
    found = await digests.digests_of_files(context_of(request, Context), file_ids)
    return {"digests": {file_id.hex: sha256.hex() for file_id, sha256 in found.items()}}


@router.post("/of-digest")
async def find_files(
    request: Request, sha256: Annotated[str, Body(embed=True, pattern=r"^[0-9a-f]{64}$")]
) -> dict[str, list[str]]:
    found = await digests.files_of_digest(context_of(request, Context), bytes.fromhex(sha256))
    return {"file_ids": [file_id.hex for file_id in found]}
