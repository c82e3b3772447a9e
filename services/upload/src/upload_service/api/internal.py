"""What other services ask: how to hand a file out, and to release it."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends

from common.http.service_tokens import TokenVerifier, internal_only
from upload_service.operations import files
from upload_service.operations.context import Context


def router(context: Context, verifier: TokenVerifier) -> APIRouter:
    """Routes under `/internal/files`, for the share service."""
    routes = APIRouter(prefix="/internal/files", dependencies=[Depends(internal_only(lambda: verifier, "share"))])

    @routes.post("/{file_id}/download")
    async def open_download(
        file_id: UUID, method: Annotated[Literal["GET", "HEAD"], Body(embed=True)]
    ) -> dict[str, str | int]:
        download = await files.open_download(context, file_id, method)
        return {
            "store_path": download.store_path,
            "sha256": download.sha256.hex(),
            "size": download.size,
            "name": download.name,
        }

    @routes.delete("/{file_id}")
    async def release(file_id: UUID) -> dict[str, str]:
        await files.release_file(context, file_id)
        return {}

    return routes
