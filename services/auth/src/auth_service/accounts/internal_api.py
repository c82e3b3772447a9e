"""Looking up credentials and suspensions for other services, and replacing an administrator's password."""

from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from auth_service.accounts import changes
from auth_service.accounts.credentials import NAME_LENGTH, find_identity
from auth_service.accounts.model import check_length
from auth_service.directory.lookups import find_standing
from auth_service.edge import context_of
from common.http.internal import called_by

CALLERS = ("upload", "share", "chat")

router = APIRouter(prefix="/internal", include_in_schema=False, dependencies=[Depends(called_by(*CALLERS))])


class CredentialRequest(BaseModel):
    """The name of a credential, as `common.credentials` makes it."""

    name: Annotated[str, Field(max_length=NAME_LENGTH)]


class CredentialAnswer(BaseModel):
    """The account behind it, in the form of `Identity.to_json`; None when there is none."""

    identity: str | None


class PasswordRequest(BaseModel):
    """A new password, and where the request for it came from: the client's address, and the credential."""

    password: Annotated[str, Field(max_length=10_000)]
    address: Annotated[str, Field(max_length=100)]
    credential_id: UUID


class Standing(BaseModel):
    """Whether an account is suspended, and whether it may administer. One that does not exist is and may neither."""

    suspended: bool
    administrator: bool


@router.get("/accounts/{account_id}/suspension", dependencies=[Depends(called_by("share"))])
async def read_standing(request: Request, account_id: UUID) -> Standing:
    """Tell an account's standing, before something is done for it without its credentials."""
    suspended, administrator = await find_standing(context_of(request), account_id)
    return Standing(suspended=suspended, administrator=administrator)


@router.post("/accounts/{account_id}/password", dependencies=[Depends(called_by("share"))])
async def replace_password(request: Request, account_id: UUID, asked: PasswordRequest) -> dict[str, str]:
    """Give an administrator's account another password. Share vouches for whoever asked for it."""
    check_length(asked.password)
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    origin = changes.Origin(asked.credential_id, asked.address, request_id)
    await changes.replace_password(context_of(request), account_id, origin, asked.password)
    return {}


@router.post("/credentials")
async def read_credential(request: Request, asked: CredentialRequest) -> CredentialAnswer:
    """Find the account behind a credential."""
    identity = await find_identity(context_of(request), asked.name)
    return CredentialAnswer(identity=identity.to_json() if identity else None)
