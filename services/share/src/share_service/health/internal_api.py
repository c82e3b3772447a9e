"""`/internal/health/system`: the state of every part, for operators. The gateway does not route it."""

from typing import Any, cast

from fastapi import APIRouter, Request, Response

from share_service.health.looking import CachedHealth
from share_service.health.model import Health, Status

router = APIRouter(prefix="/internal/health", include_in_schema=False)


@router.get("/system")
async def describe(request: Request, response: Response) -> dict[str, Any]:
    """The status, what users can do, and the dependencies of each service, with the codes of their errors."""
    health = await health_of(request)
    if health.status is Status.UNAVAILABLE:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return {"status": health.status, "abilities": health.abilities, "services": health.services}


async def health_of(request: Request) -> Health:
    """The health of the system, for routes of dialects too."""
    return await cast("CachedHealth", request.app.state.health).current()
