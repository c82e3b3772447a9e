"""One's own API keys on the native API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from auth_service.edge import context_of, not_stored
from auth_service.keys import own_keys
from auth_service.keys.model import ApiKey, KeyPair
from common.http.authors import author_of
from common.http.callers import InPerson
from common.http.json_bodies import documented, read_model

router = APIRouter(prefix="/v1/account/keys", tags=["account"], dependencies=[Depends(not_stored)])


class KeyRequest(BaseModel):
    """The name by which the owner recognises the key."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]


class KeyAnswer(BaseModel):
    """An API key; `hint` is its beginning."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    hint: str
    created_at: datetime


class KeysAnswer(BaseModel):
    """API keys, the newest first."""

    keys: list[KeyAnswer]

    @staticmethod
    def of(keys: list[ApiKey]) -> "KeysAnswer":
        return KeysAnswer(keys=[KeyAnswer.model_validate(key) for key in keys])


class NewKeyAnswer(KeyAnswer):
    """An API key with its token, which are shown only this once; for `Authorization: Basic` as user and password."""

    api_key: str
    api_token: str

    @staticmethod
    def of(key: ApiKey, pair: KeyPair) -> "NewKeyAnswer":
        known = KeyAnswer.model_validate(key)
        return NewKeyAnswer(**known.model_dump(), api_key=pair.api_key, api_token=pair.api_token)


@router.get("")
async def list_keys(request: Request, identity: InPerson) -> KeysAnswer:
    """List the account's API keys."""
    return KeysAnswer.of(await own_keys.list_keys(context_of(request), identity))


@router.post("", status_code=201, openapi_extra=documented(KeyRequest))
async def create_key(request: Request, identity: InPerson) -> NewKeyAnswer:
    """Make an API key and its token."""
    asked = await read_model(request, KeyRequest)
    return NewKeyAnswer.of(*await own_keys.create_key(context_of(request), author_of(request, identity), asked.name))


@router.post("/{key_id}/regenerate")
async def regenerate_key(request: Request, key_id: UUID, identity: InPerson) -> NewKeyAnswer:
    """Replace a key and its token by new ones."""
    return NewKeyAnswer.of(*await own_keys.regenerate_key(context_of(request), author_of(request, identity), key_id))


@router.delete("/{key_id}", status_code=204)
async def revoke_key(request: Request, key_id: UUID, identity: InPerson) -> None:
    """Revoke a key."""
    await own_keys.revoke_key(context_of(request), author_of(request, identity), key_id)
