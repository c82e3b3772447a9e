"""What other services ask: how to hand a file out, whose it is, to release it, and to erase an account."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends

from common.http.internal import internal_only
from common.tokens.services import TokenVerifier
from upload_service.content import expiring, files, owning
from upload_service.context import Context
from upload_service.mirrors import wishes as mirroring


def router(context: Context, verifier: TokenVerifier) -> APIRouter:
    """Routes under `/internal/files` for the share service, and `/internal/accounts` for auth."""
    routes = APIRouter(prefix="/internal")
    for_share = [Depends(internal_only(lambda: verifier, "share"))]
    for_auth = [Depends(internal_only(lambda: verifier, "auth"))]

    @routes.post("/files/{file_id}/download", dependencies=for_share)
    async def open_download(
        file_id: UUID, method: Annotated[Literal["GET", "HEAD"], Body(embed=True)]
    ) -> dict[str, str | int | None]:
        download = await files.open_download(context, file_id, method)
        return {
            "store_path": download.stored_at.path,
            "fallback_path": download.stored_at.fallback,
            "sha256": download.sha256.hex(),
            "size": download.size,
            "name": download.name,
            "password_hash": download.password_hash,
        }

    @routes.post("/files/{file_id}/page", dependencies=for_share)
    async def describe(file_id: UUID) -> dict[str, Any]:
        file = await files.find_file(context, file_id)
        found = await mirroring.replicas_of_file(context, file_id)
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

    @routes.post("/files/{file_id}/adopt", dependencies=for_share)
    async def adopt(file_id: UUID, owner: Annotated[UUID, Body(embed=True)]) -> dict[str, str]:
        await owning.adopt_file(context, file_id, owner)
        return {}

    @routes.delete("/files/{file_id}", dependencies=for_share)
    async def release(file_id: UUID) -> dict[str, str]:
        await files.release_file(context, file_id)
        return {}

    @routes.delete("/accounts/{account_id}", dependencies=for_auth)
    async def erase(account_id: UUID) -> dict[str, str]:
        await expiring.erase_account(context, account_id)
        return {}

    return routes
