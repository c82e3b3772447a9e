"""`/internal/accounts`, for the auth service: the end of an account."""

from uuid import UUID

from fastapi import APIRouter, Depends, Request

from upload_service.accounts.erasing import erase_account
from upload_service.edge import context_of, internal_only
from upload_service.fetches.context import Context

router = APIRouter(prefix="/internal/accounts", dependencies=[Depends(internal_only("auth"))])


@router.delete("/{account_id}")
async def erase(request: Request, account_id: UUID) -> dict[str, str]:
    await erase_account(context_of(request, Context), account_id)
    return {}
