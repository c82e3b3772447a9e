"""`/v1/mirrors` for every account: the mirrors that it may use, and its choice among them."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.identity import Identity
from upload_service.edge import context_of
from upload_service.mirrors import choices
from upload_service.mirrors.context import Context

router = APIRouter(prefix="/v1/mirrors", tags=["mirrors"])


class UsableMirrorModel(BaseModel):
    """A mirror that the account may use. `is_default`: its files go there unless others are named."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    kind: str
    is_default: bool
    is_well: bool
    """Whether it did what it was last asked."""


class UsableMirrors(BaseModel):
    """The mirrors that the account may use."""

    mirrors: list[UsableMirrorModel]


class Choice(BaseModel):
    """The mirrors of the account's files when none are named; null: the administrator's default mirrors."""

    model_config = ConfigDict(extra="forbid")

    mirrors: Annotated[list[int], Field(max_length=1000)] | None


@router.get("")
async def list_usable(request: Request, identity: SignedIn) -> UsableMirrors:
    """The mirrors that the account may use."""
    return await _usable(context_of(request, Context), identity)


@router.put("/choice", openapi_extra=documented(Choice))
async def choose(request: Request, identity: SignedIn) -> UsableMirrors:
    """Choose the mirrors for the account's new files when none are named."""
    context = context_of(request, Context)
    asked = await read_model(request, Choice)
    await choices.choose_mirrors(context, identity, asked.mirrors)
    return await _usable(context, identity)


async def _usable(context: Context, identity: Identity) -> UsableMirrors:
    found = await choices.usable_mirrors(context, identity)
    return UsableMirrors(mirrors=[UsableMirrorModel.model_validate(mirror) for mirror in found])
