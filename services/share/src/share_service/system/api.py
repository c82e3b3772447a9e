"""`/v1/admin/system`: the state of every part of the system, for administrators."""

from typing import Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict

from common.http.authors import author_of
from common.http.callers import Administrator, administrator
from common.version import VERSION
from share_service.edge import context_of
from share_service.health.internal_api import health_of
from share_service.system.looking import Own, look_at_system

router = APIRouter(prefix="/v1/admin/system", tags=["administration"], dependencies=[Depends(administrator)])


class _Model(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ServiceState(_Model):
    """A service; `version` and `started_at` null: it did not answer. With several replicas, one of them answers."""

    name: str
    version: str | None
    started_at: str | None
    healthy: bool
    detail: dict[str, str]
    """The states of what it depends on: `ok`, or the code of an error."""


class EngineState(_Model):
    """An engine; `version` null: unknown."""

    name: str
    version: str | None
    healthy: bool
    detail: str
    """`ok`, or the code of an error."""


class WorkerState(BaseModel):
    """The workers of a queue. `healthy`: one was there within the last 20 seconds."""

    name: str
    processes: int
    healthy: bool


class WaitingMessages(BaseModel):
    """A queue: the messages that no worker has taken. `oldest_seconds` null: there is none, or its age is unknown."""

    name: str
    depth: int
    oldest_seconds: float | None


class WaitingRows(_Model):
    """Rows that wait for a sweep or a worker."""

    service: str
    name: str
    rows: int


class StoreUse(BaseModel):
    """The object store. `free_bytes`, `reserve_bytes` null: only the store knows."""

    kind: Literal["s3", "folder"]
    used_bytes: int
    """Of all files together, each content as often as there are files of it."""
    free_bytes: int | None
    reserve_bytes: int | None


class SystemView(BaseModel):
    """The whole system. A part that does not answer is missing or null."""

    version: str
    services: list[ServiceState]
    engines: list[EngineState]
    workers: list[WorkerState]
    queues: list[WaitingMessages]
    backlog: list[WaitingRows]
    store: StoreUse | None


@router.get("")
async def read_system(request: Request, identity: Administrator) -> SystemView:
    """Versions and health of services and engines, workers, queues, the backlog of sweeps, and the store."""
    own = Own(request.app.state.started_at, request.app.state.backlog)
    author, health = author_of(request, identity), await health_of(request)
    found = await look_at_system(context_of(request), author, health, own)
    queues: list[dict[str, Any]] = found.queues
    return SystemView(
        version=VERSION,
        services=[ServiceState.model_validate(one) for one in found.services],
        engines=[EngineState.model_validate(one) for one in found.engines],
        workers=[
            WorkerState(name=queue["name"], processes=queue["workers"], healthy=queue["workers"] > 0)
            for queue in queues
        ],
        queues=[
            WaitingMessages(name=queue["name"], depth=queue["depth"], oldest_seconds=queue["oldest_seconds"])
            for queue in queues
        ],
        backlog=[WaitingRows.model_validate(one) for one in found.backlog],
        store=StoreUse.model_validate(found.store) if found.store else None,
    )
