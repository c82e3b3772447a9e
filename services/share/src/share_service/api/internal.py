"""What the other services ask of this one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, Field

from common import clock
from common.dialects.filecodebox import Policy
from common.http.service_tokens import TokenVerifier, internal_only
from share_service import operations, queries
from share_service.model import Terms
from share_service.state import state_of

# PostgreSQL cannot keep a NUL in a text. Longer than any name that the upload service lets pass.
Text = Annotated[str, Field(min_length=1, max_length=8192, pattern=r"^[^\x00]*$")]


class ShareRequest(BaseModel):
    """A file to be shared. `size` in bytes; `expires_at` None: never; `uses` None: any number."""

    origin: Text
    file_id: UUID
    name: Text
    size: Annotated[int, Field(ge=0)]
    expires_at: AwareDatetime | None
    uses: Annotated[int, Field(ge=1, le=2**31 - 1)] | None


class ShareAnswer(BaseModel):
    """The share's code."""

    code: str


class HeldRequest(BaseModel):
    """Files that may no longer be wanted."""

    file_ids: Annotated[list[UUID], Field(max_length=10_000)]


class HeldAnswer(BaseModel):
    """Those of the files that a share still holds."""

    held: list[UUID]


def routes(verifier: TokenVerifier) -> APIRouter:
    """The routes, for the upload service alone."""
    router = APIRouter(prefix="/internal", dependencies=[Depends(internal_only(lambda: verifier, "upload"))])
    router.add_api_route("/policy", read_policy, methods=["GET"])
    router.add_api_route("/shares", create_share, methods=["POST"])
    router.add_api_route("/shares/held", list_held, methods=["POST"])
    return router


async def read_policy(request: Request) -> Policy:
    """What is allowed at present."""
    return await state_of(request).policy.current()


async def create_share(request: Request, wanted: ShareRequest) -> ShareAnswer:
    """Share a file; the same `origin` always gets the same code."""
    state = state_of(request)
    policy = await state.policy.current()
    async with state.database.transaction() as connection:
        code = await operations.share_file(
            connection,
            origin=wanted.origin,
            file_id=wanted.file_id,
            name=wanted.name,
            size=wanted.size,
            terms=Terms(wanted.expires_at, wanted.uses),
            digits_only=policy.numeric_codes,
            now=clock.now(),
        )
    return ShareAnswer(code=code)


async def list_held(request: Request, asked: HeldRequest) -> HeldAnswer:
    """Which of the files some share has not given back yet."""
    async with state_of(request).database.connection() as connection:
        return HeldAnswer(held=await queries.held_files(connection, asked.file_ids))
