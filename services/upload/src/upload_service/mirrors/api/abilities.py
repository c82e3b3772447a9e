"""`/internal/abilities`, for the share service: whether files can be stored and given out at the moment."""

from fastapi import APIRouter, Depends, Request

from common.http.internal import called_by
from upload_service.edge import context_of
from upload_service.mirrors.abilities import find_abilities
from upload_service.mirrors.context import Context

router = APIRouter(prefix="/internal/abilities", dependencies=[Depends(called_by("share"))])


@router.post("")
async def describe(request: Request) -> dict[str, str]:
    """The states of `sending` and `fetching`."""
    return await find_abilities(context_of(request, Context))
