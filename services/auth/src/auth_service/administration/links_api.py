"""`/v1/admin/invitations` for administrators, and `/v1/auth/reset` for whoever got a link."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from auth_service.accounts.model import check_length
from auth_service.administration import inviting, resetting
from auth_service.administration.schemas import (
    AccountInvitation,
    AccountInvitationRequest,
    AccountInvitations,
    IssuedInvitation,
    PasswordReset,
)
from auth_service.edge import address_of, context_of, counted, not_stored
from common.http.authors import author_of
from common.http.callers import Administrator
from common.http.json_bodies import documented, read_model
from common.http.public_url import base_url
from common.identity import Role
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor

router = APIRouter(prefix="/v1", dependencies=[Depends(not_stored)])


@router.post(
    "/admin/invitations", status_code=201, tags=["administration"], openapi_extra=documented(AccountInvitationRequest)
)
async def invite(request: Request, identity: Administrator) -> IssuedInvitation:
    """Make a link by which one account can be registered, also while registration is closed."""
    asked = await read_model(request, AccountInvitationRequest)
    context, author = context_of(request), author_of(request, identity)
    made = await inviting.invite(context, author, Role(asked.role), asked.note, timedelta(days=asked.days))
    url = f"{base_url(request, context.public_url)}/register#{made.token}"
    return IssuedInvitation.with_url(made.invitation, url)


@router.get("/admin/invitations", tags=["administration"])
async def list_invitations(
    request: Request,
    identity: Administrator,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
) -> AccountInvitations:
    """Invitations, also those that were used or have expired within 30 days."""
    cursor = Cursor.parse(after) if after is not None else None
    page, more = await inviting.list_invitations(context_of(request), author_of(request, identity), cursor, limit)
    return AccountInvitations(invitations=[AccountInvitation.of(one) for one in page], next=str(more) if more else None)


@router.delete("/admin/invitations/{invitation_id}", status_code=204, tags=["administration"])
async def revoke_invitation(request: Request, identity: Administrator, invitation_id: UUID) -> None:
    """Take an invitation back that was not used."""
    await inviting.revoke_invitation(context_of(request), author_of(request, identity), invitation_id)


@router.post(
    "/auth/reset",
    status_code=204,
    tags=["auth"],
    dependencies=[Depends(counted("login"))],
    openapi_extra=documented(PasswordReset),
)
async def use_reset(request: Request) -> None:
    """Set a new password by a link from an administrator; all sessions of the account end."""
    asked = await read_model(request, PasswordReset)
    check_length(asked.password)
    await resetting.use_reset(context_of(request), asked.token, asked.password, address_of(request))
