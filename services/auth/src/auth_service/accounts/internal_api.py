"""Looking up credentials for other services."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from auth_service.accounts.credentials import NAME_LENGTH, find_identity
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


@router.post("/credentials")
async def read_credential(request: Request, asked: CredentialRequest) -> CredentialAnswer:
    """Find the account behind a credential."""
    identity = await find_identity(context_of(request), asked.name)
    return CredentialAnswer(identity=identity.to_json() if identity else None)
