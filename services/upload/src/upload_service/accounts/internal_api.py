"""`/internal/accounts`, for the auth service: the end of an account."""

from uuid import UUID

from fastapi import APIRouter, Depends, Request

from common.http.internal import called_by
from upload_service.accounts.erasing import erase_account
from upload_service.edge import context_of
from upload_service.fetches.context import Context

router = APIRouter(prefix="/internal/accounts", include_in_schema=False, dependencies=[Depends(called_by("auth"))])


@router.delete("/{account_id}")
async def erase(request: Request, account_id: UUID) -> dict[str, str]:
    await erase_account(context_of(request, Context), account_id)
    return {}
