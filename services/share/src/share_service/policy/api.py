"""`/v1/policy`: the rules of the whole system, for administrators."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from common.http.authors import author_of
from common.http.callers import Administrator, administrator
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_LIMIT, PAGE_SIZE
from common.policy import Policy
from share_service.edge import context_of
from share_service.policy import changing
from share_service.policy.changing import WholePolicy

VERSIONS = 2**31 - 1

router = APIRouter(prefix="/v1/policy", tags=["administration"], dependencies=[Depends(administrator)])


class RevisionView(BaseModel):
    """A version of the changes. `changed_by`: an account; null: it was not noted, or nobody changed anything yet."""

    version: int
    changes: dict[str, Any]
    """The fields that differ from the environment, with their values."""
    changed_by: UUID | None
    changed_at: datetime | None


class PolicyView(RevisionView):
    """The policy in force, and the values that the environment gives."""

    values: Policy
    defaults: Policy


class RevisionsView(BaseModel):
    """Versions, the newest first. `next`: the value of `before` for those that follow; null at the end."""

    revisions: list[RevisionView]
    next: int | None


class PolicyChange(BaseModel):
    """New values of some fields; null gives a field the environment's value again. `version`: the one that was read.

    A quota is lifted by `unlimited`, also if the environment sets one.
    """

    model_config = {"extra": "forbid"}

    version: Annotated[int, Field(ge=0, lt=VERSIONS, strict=True)]
    values: Annotated[dict[str, Any], Field(json_schema_extra={"properties": Policy.model_json_schema()["properties"]})]


@router.get("")
async def read_policy(request: Request) -> PolicyView:
    """The policy, with its version. Every protocol obeys it within five seconds of a change."""
    return _view(await changing.read_policy(context_of(request)))


@router.patch("", openapi_extra=documented(PolicyChange))
async def change_policy(request: Request, identity: Administrator) -> PolicyView:
    """Change the policy as a whole; 409 if another administrator has changed it since it was read."""
    wanted = await read_model(request, PolicyChange)
    author = author_of(request, identity)
    changed = await changing.change_policy(context_of(request), author, wanted.version, wanted.values)
    return _view(changed)


@router.get("/revisions")
async def read_revisions(
    request: Request,
    before: Annotated[int, Query(ge=1, le=VERSIONS)] = VERSIONS,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
) -> RevisionsView:
    """Every change of the policy that was ever made."""
    found = await changing.past_revisions(context_of(request), before, limit + 1)
    page = [RevisionView(**asdict(revision)) for revision in found[:limit]]
    return RevisionsView(revisions=page, next=page[-1].version if len(found) > limit else None)


def _view(whole: WholePolicy) -> PolicyView:
    return PolicyView(**asdict(whole.revision), values=whole.policy, defaults=whole.defaults)
