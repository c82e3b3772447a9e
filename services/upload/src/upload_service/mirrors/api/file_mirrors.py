"""`/v1/files/{id}/mirrors`: the mirrors of a file, for its owner."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from common.http import callers, progress
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.identity import Identity
from common.rights import Action
from upload_service.content import owning
from upload_service.edge import context_of
from upload_service.mirrors import wishes
from upload_service.mirrors.context import Context
from upload_service.mirrors.model import ReplicaState

SETTLED = (ReplicaState.VERIFIED, ReplicaState.FAILED)

router = APIRouter(prefix="/v1/files/{file_id}/mirrors", tags=["mirrors"])


class FileReplicaModel(BaseModel):
    """A file on a mirror. `bytes_done`: of the copy; `url`: its public link once it is verified, if it has one."""

    model_config = ConfigDict(from_attributes=True)

    mirror_id: int
    mirror: str
    state: ReplicaState
    bytes_done: int
    url: str | None
    error: str | None
    """The stable code of the last failure."""
    verified_at: datetime | None
    """When it was last read back and found equal."""


class FileReplicas(BaseModel):
    """A file on every mirror where it is wanted. `size` in bytes."""

    size: int
    mirrors: list[FileReplicaModel]


class Wanted(BaseModel):
    """More mirrors on which a file is wanted; null: those of the owner's choice."""

    model_config = ConfigDict(extra="forbid")

    mirrors: Annotated[list[int], Field(max_length=1000)] | None = None


@router.get("")
async def list_replicas(request: Request, file_id: UUID, identity: SignedIn) -> FileReplicas:
    """The mirrors of the file, and the progress of its copies."""
    return await _replicas(context_of(request, Context), identity, file_id)


@router.post("", status_code=202, openapi_extra=documented(Wanted))
async def want(request: Request, file_id: UUID, identity: SignedIn) -> FileReplicas:
    """Have the file copied to mirrors. A repeated request changes nothing."""
    context = context_of(request, Context)
    file = await owning.file_for(context, identity, file_id, Action.EDIT)
    asked = await read_model(request, Wanted)
    await wishes.want_mirrors(context, file, asked.mirrors)
    return await _replicas(context, identity, file_id)


@router.delete("/{mirror_id}", status_code=204)
async def unwant(request: Request, file_id: UUID, mirror_id: int, identity: SignedIn) -> None:
    """Have the file removed from a mirror. A copy that is under way is broken off."""
    context = context_of(request, Context)
    file = await owning.file_for(context, identity, file_id, Action.EDIT)
    await wishes.unwant_mirror(context, file, mirror_id)


@router.post("/{mirror_id}/retry", status_code=202)
async def retry(request: Request, file_id: UUID, mirror_id: int, identity: SignedIn) -> FileReplicas:
    """Try a failed copy again now, or check one that was verified."""
    context = context_of(request, Context)
    file = await owning.file_for(context, identity, file_id, Action.EDIT)
    await wishes.retry_replica(context, file, mirror_id)
    return await _replicas(context, identity, file_id)


@router.get("/events", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
async def events(request: Request, file_id: UUID, _: SignedIn) -> Response:
    """The same by Server-Sent Events: an event `state` at each change, and `end` when no more changes are to come."""
    context = context_of(request, Context)

    async def look() -> tuple[FileReplicas, bool]:
        state = await _replicas(context, await callers.of_request(request), file_id)
        return state, all(replica.state in SETTLED for replica in state.mirrors)

    return await progress.stream(look)


async def _replicas(context: Context, identity: Identity, file_id: UUID) -> FileReplicas:
    file = await owning.file_for(context, identity, file_id, Action.SEE)
    found = await wishes.replicas_of_file(context, file_id)
    return FileReplicas(size=file.size, mirrors=[FileReplicaModel.model_validate(replica) for replica in found])
