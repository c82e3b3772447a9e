"""`/internal/usage`, for the dashboards of the share service."""

from fastapi import APIRouter, Depends, Request

from common.http.internal import called_by
from upload_service.content.context import Context
from upload_service.edge import context_of
from upload_service.quotas import reading

router = APIRouter(prefix="/internal/usage", include_in_schema=False, dependencies=[Depends(called_by("share"))])


@router.get("")
async def read_usage(request: Request) -> dict[str, int]:
    """The use of the whole place."""
    _, place = await reading.use_of_all(context_of(request, Context))
    return {"bytes": place.bytes + place.reserved_bytes, "files": place.files}
