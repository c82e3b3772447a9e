"""One's own account: its name, its password, its keys, its end."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from auth_service.accounts import changes as account
from auth_service.accounts.schemas import KeyAnswer, KeysAnswer, NewKeyAnswer, WholeAccountAnswer
from auth_service.callers import address_of
from auth_service.edge import InPerson, not_stored
from auth_service.keys import own_keys as keys
from auth_service.sessions.api import check_length
from auth_service.state import state_of
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model

router = APIRouter(prefix="/v1/account", tags=["account"], dependencies=[Depends(not_stored)])


class AccountChange(BaseModel):
    """What is to be changed."""

    name: str


class PasswordChange(BaseModel):
    """The password that is, and the one that is to be."""

    current: str
    new: str


class Confirmation(BaseModel):
    """The account's password."""

    password: str


class KeyRequest(BaseModel):
    """What the key's owner is to know it by."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


@router.get("")
async def read_account(request: Request, identity: SignedIn) -> WholeAccountAnswer:
    """The account that the credentials are of."""
    return WholeAccountAnswer.of(await account.own_account(state_of(request).context, identity))


@router.patch("", openapi_extra=documented(AccountChange))
async def rename(request: Request, identity: InPerson) -> WholeAccountAnswer:
    """Take another name."""
    change = await read_model(request, AccountChange)
    return WholeAccountAnswer.of(await account.rename(state_of(request).context, identity, change.name))


@router.post("/password", status_code=204, openapi_extra=documented(PasswordChange))
async def change_password(request: Request, identity: InPerson) -> None:
    """Take another password; all other sessions end."""
    change = await read_model(request, PasswordChange)
    check_length(change.new)
    context = state_of(request).context
    await account.change_password(context, identity, change.current, change.new, address_of(request))


@router.delete("", status_code=204, openapi_extra=documented(Confirmation))
async def delete_account(request: Request, identity: InPerson) -> None:
    """Delete the account, and all that is its own."""
    confirmation = await read_model(request, Confirmation)
    context = state_of(request).context
    await account.delete_own(context, identity, confirmation.password, address_of(request))


@router.get("/keys")
async def list_keys(request: Request, identity: InPerson) -> KeysAnswer:
    """The account's API keys."""
    found = await keys.list_keys(state_of(request).context, identity)
    return KeysAnswer(keys=[KeyAnswer.model_validate(key) for key in found])


@router.post("/keys", status_code=201, openapi_extra=documented(KeyRequest))
async def create_key(request: Request, identity: InPerson) -> NewKeyAnswer:
    """Make an API key and its token."""
    asked = await read_model(request, KeyRequest)
    return NewKeyAnswer.of(*await keys.create_key(state_of(request).context, identity, asked.name))


@router.post("/keys/{key_id}/regenerate")
async def regenerate_key(request: Request, key_id: UUID, identity: InPerson) -> NewKeyAnswer:
    """Replace a key and its token by new ones."""
    return NewKeyAnswer.of(*await keys.regenerate_key(state_of(request).context, identity, key_id))


@router.delete("/keys/{key_id}", status_code=204)
async def revoke_key(request: Request, key_id: UUID, identity: InPerson) -> None:
    """Revoke a key."""
    await keys.revoke_key(state_of(request).context, identity, key_id)
