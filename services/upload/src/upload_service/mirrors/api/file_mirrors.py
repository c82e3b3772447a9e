"""`/v1/files/{id}/mirrors`: where a file is besides here, for its owner."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from common.http import callers, progress
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.rights import Action
from upload_service.content import owning
from upload_service.mirrors import wishes as mirroring
from upload_service.mirrors.context import Context
from upload_service.mirrors.model import FileReplica, ReplicaState

SETTLED = (ReplicaState.VERIFIED, ReplicaState.FAILED)


class FileReplicaModel(BaseModel):
    """A file on a mirror. `bytes_done` of the copy; `url`: its public link once it is verified, where it has one."""

    mirror_id: int
    mirror: str
    state: ReplicaState
    bytes_done: int
    url: str | None
    error: str | None
    """A stable code, of the last attempt that failed."""
    verified_at: datetime | None
    """When it was last read back and found equal."""

    @staticmethod
    def of(replica: FileReplica) -> "FileReplicaModel":
        return FileReplicaModel(
            mirror_id=replica.mirror_id,
            mirror=replica.mirror,
            state=replica.state,
            bytes_done=replica.bytes_done,
            url=replica.url,
            error=replica.error,
            verified_at=replica.verified_at,
        )


class FileReplicas(BaseModel):
    """A file on every mirror that it is wanted on. `size` in bytes."""

    size: int
    mirrors: list[FileReplicaModel]


class Wanted(BaseModel):
    """Mirrors that a file is wanted on, besides those where it is; null: those of the owner's choice."""

    model_config = {"extra": "forbid"}

    mirrors: Annotated[list[int], Field(max_length=1000)] | None = None


def router(context: Context) -> APIRouter:
    """The routes. Whose file it is, `common.rights` asks; errors are problem details."""
    routes = APIRouter(prefix="/v1/files/{file_id}/mirrors", tags=["mirrors"])

    @routes.get("")
    async def list_replicas(file_id: UUID, identity: SignedIn) -> FileReplicas:
        """Where the file is, and how far its copies are."""
        file = await owning.find_file(context, identity, file_id, Action.SEE)
        found = await mirroring.replicas_of_file(context, file_id)
        return FileReplicas(size=file.size, mirrors=[FileReplicaModel.of(replica) for replica in found])

    @routes.post("", status_code=202, openapi_extra=documented(Wanted))
    async def want(request: Request, file_id: UUID, identity: SignedIn) -> FileReplicas:
        """Have the file copied to mirrors; asked again, it changes nothing."""
        file = await owning.find_file(context, identity, file_id, Action.EDIT)
        asked = await read_model(request, Wanted)
        await mirroring.want_mirrors(context, file, asked.mirrors)
        return await list_replicas(file_id, identity)

    @routes.delete("/{mirror_id}", status_code=204)
    async def unwant(file_id: UUID, mirror_id: int, identity: SignedIn) -> None:
        """Have the file removed from a mirror; a copy that is under way is broken off."""
        file = await owning.find_file(context, identity, file_id, Action.EDIT)
        await mirroring.unwant_mirror(context, file, mirror_id)

    @routes.post("/{mirror_id}/retry", status_code=202)
    async def retry(file_id: UUID, mirror_id: int, identity: SignedIn) -> FileReplicas:
        """Try a failed copy again now, or check one that was verified."""
        file = await owning.find_file(context, identity, file_id, Action.EDIT)
        await mirroring.retry_replica(context, file, mirror_id)
        return await list_replicas(file_id, identity)

    @routes.get("/events", response_class=Response, responses={200: {"content": {"text/event-stream": {}}}})
    async def events(request: Request, file_id: UUID, _: SignedIn) -> Response:
        """The same by Server-Sent Events: an event `state` at each change, `end` when nothing more is to come."""

        async def look() -> tuple[FileReplicas, bool]:
            state = await list_replicas(file_id, await callers.of_request(request))
            return state, all(replica.state in SETTLED for replica in state.mirrors)

        return await progress.told(look)

    return routes
