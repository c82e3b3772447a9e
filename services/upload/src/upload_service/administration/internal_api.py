"""`/internal/system`, for the share service: the store, and the queues with their workers."""

from dataclasses import asdict
from typing import Any, cast

from fastapi import APIRouter, Depends, Request

from common.http.internal import called_by
from upload_service.administration.system import Surroundings, look_at_store, look_at_workers
from upload_service.context import Context
from upload_service.edge import context_of

router = APIRouter(prefix="/internal/system", include_in_schema=False, dependencies=[Depends(called_by("share"))])


@router.post("/store")
async def read_store(request: Request) -> dict[str, Any]:
    """The use of the store."""
    return asdict(await look_at_store(context_of(request, Context), _surroundings(request)))


@router.post("/queues")
async def read_queues(request: Request) -> dict[str, Any]:
    """The queues and their workers."""
    return {"queues": [asdict(queue) for queue in await look_at_workers(_surroundings(request))]}


def _surroundings(request: Request) -> Surroundings:
    return cast("Surroundings", request.app.state.surroundings)
