"""Registering, and one's own account, on the native API."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from auth_service.accounts import changes, deletion, registration
from auth_service.accounts.model import check_length
from auth_service.accounts.registration import Registration
from auth_service.directory import lookups
from auth_service.directory.schemas import WholeAccountAnswer
from auth_service.edge import address_of, context_of, counted, label_of, not_stored
from auth_service.keys.api import KeysAnswer
from auth_service.sessions.model import Grant
from auth_service.sessions.passwords import Attempt
from auth_service.sessions.schemas import TokenAnswer
from common.http.authors import author_of
from common.http.callers import InPerson, SignedIn
from common.http.json_bodies import documented, read_model

router = APIRouter(prefix="/v1", dependencies=[Depends(not_stored)])


class RegisterRequest(BaseModel):
    """A name of 1 to 255 characters, and a password of 8 characters to 1024 bytes.

    `invitation`: the token of a link that an administrator made, which is needed while registration is closed.
    """

    name: str
    password: str
    invitation: Annotated[str | None, Field(max_length=100)] = None


class AccountChange(BaseModel):
    """The account's new name."""

    name: str


class PasswordChange(BaseModel):
    """The present password and the new one. With `end_keys`, the account's API keys are revoked as well."""

    current: str
    new: str
    end_keys: bool = False


class Confirmation(BaseModel):
    """The account's password."""

    password: str


@router.post(
    "/auth/register",
    status_code=201,
    tags=["auth"],
    dependencies=[Depends(counted("register"))],
    openapi_extra=documented(RegisterRequest),
)
async def register(request: Request) -> TokenAnswer:
    """Make an account, and sign in to it."""
    asked = await read_model(request, RegisterRequest)
    check_length(asked.password)
    new = Registration(asked.name, asked.password, address_of(request), invitation=asked.invitation)
    grant = Grant.token(label_of(request, "Waystation"))
    (opened,) = await registration.register(context_of(request), new, grant)
    return TokenAnswer.of(opened)


@router.get("/account", tags=["account"])
async def read_account(request: Request, identity: SignedIn) -> WholeAccountAnswer:
    """Read the account behind the credentials."""
    return WholeAccountAnswer.of(await lookups.own_account(context_of(request), identity))


@router.patch("/account", tags=["account"], openapi_extra=documented(AccountChange))
async def rename(request: Request, identity: InPerson) -> WholeAccountAnswer:
    """Change the account's name."""
    change = await read_model(request, AccountChange)
    return WholeAccountAnswer.of(await changes.rename(context_of(request), identity, change.name))


@router.post("/account/password", tags=["account"], openapi_extra=documented(PasswordChange))
async def change_password(request: Request, identity: InPerson) -> KeysAnswer:
    """Change the account's password; all other sessions end. Answers the API keys that are still accepted."""
    change = await read_model(request, PasswordChange)
    check_length(change.new)
    attempt = Attempt(identity.name, change.current, address_of(request))
    left = await changes.change_password(
        context_of(request), author_of(request, identity), attempt, change.new, end_keys=change.end_keys
    )
    return KeysAnswer.of(left)


@router.delete("/account", status_code=204, tags=["account"], openapi_extra=documented(Confirmation))
async def delete_account(request: Request, identity: InPerson) -> None:
    """Delete the account with all its data."""
    confirmation = await read_model(request, Confirmation)
    await deletion.delete_own(context_of(request), identity, confirmation.password, address_of(request))
