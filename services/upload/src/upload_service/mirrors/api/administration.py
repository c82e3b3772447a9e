"""`/v1/mirrors` for administrators: they define mirrors, change, probe and remove them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from common.errors import Forbidden
from common.http.authors import author_of
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.identity import Identity
from upload_service.edge import context_of
from upload_service.mirrors import administration, upkeep
from upload_service.mirrors.administration import MirrorSpec, MirrorSummary
from upload_service.mirrors.context import Context
from upload_service.mirrors.model import MAX_PARALLEL
from upload_service.mirrors.probing import Step

Options = dict[str, Annotated[str, Field(max_length=16384)]]
Accounts = Annotated[list[UUID], Field(max_length=10_000)] | None
Parallel = Annotated[int, Field(ge=1, le=MAX_PARALLEL)]

router = APIRouter(prefix="/v1/mirrors", tags=["mirrors"])


class MirrorModel(BaseModel):
    """A mirror as administrators see it. Secrets are never shown: `secrets` names those that are set."""

    id: int
    name: str
    kind: str
    options: dict[str, str]
    secrets: list[str]
    link_pattern: str
    accounts: list[UUID] | None
    """The accounts that may use it; null: every account."""
    is_default: bool
    is_enabled: bool
    parallel: int
    """The number of replicas that may be worked on at once."""
    replicas: dict[str, int]
    """The number of its replicas, by state."""
    created_at: datetime
    is_being_removed: bool
    probed_at: datetime | None
    probe_error: str | None
    failures: int
    """The number of failures in a row."""
    open_until: datetime | None
    """Until then nothing is tried, because of these failures."""

    @staticmethod
    def of(found: MirrorSummary) -> "MirrorModel":
        mirror = found.mirror
        return MirrorModel(
            id=mirror.id,
            name=mirror.name,
            kind=mirror.kind,
            options=found.options,
            secrets=found.secrets,
            link_pattern=mirror.link_pattern,
            accounts=mirror.accounts,
            is_default=mirror.is_default,
            is_enabled=mirror.is_enabled,
            parallel=mirror.parallel,
            replicas=found.replicas,
            created_at=mirror.created_at,
            is_being_removed=mirror.removed_at is not None,
            probed_at=mirror.probed_at,
            probe_error=mirror.probe_error,
            failures=mirror.failures,
            open_until=mirror.open_until,
        )


class MirrorList(BaseModel):
    """Every mirror."""

    mirrors: list[MirrorModel]


class NewMirror(BaseModel):
    """A mirror to be added. `options`: those of its kind; `link_pattern`: a URL with `{path}`, for public links."""

    model_config = ConfigDict(extra="forbid")

    name: str
    kind: str
    options: Options
    link_pattern: str = ""
    accounts: Accounts = None
    is_default: bool = False
    is_enabled: bool = True
    parallel: Parallel = 2


class MirrorChanges(BaseModel):
    """The fields to change; all others stay, also those of `options`, where an empty text drops one."""

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    options: Options = Field(default_factory=dict)
    link_pattern: str = ""
    accounts: Accounts = None
    is_default: bool = False
    is_enabled: bool = True
    parallel: Parallel = 2


class Probe(BaseModel):
    """The result of a probe. `error` null: a small object was written, read back and deleted again."""

    error: str | None
    step: Step | None = None
    """The step that failed."""
    message: str | None = None


@router.get("/all")
async def list_all(request: Request, identity: SignedIn) -> MirrorList:
    """Every mirror, for administrators."""
    _require_administrator(identity)
    found = await administration.list_mirrors(context_of(request, Context))
    return MirrorList(mirrors=[MirrorModel.of(summary) for summary in found])


@router.post("", status_code=201, openapi_extra=documented(NewMirror))
async def define(request: Request, identity: SignedIn) -> MirrorModel:
    """Add a mirror, for administrators."""
    _require_administrator(identity)
    context = context_of(request, Context)
    asked = await read_model(request, NewMirror)
    mirror = await administration.define_mirror(context, MirrorSpec(**asked.model_dump()), author_of(request, identity))
    return MirrorModel.of(await administration.find_mirror(context, mirror.id))


@router.get("/{mirror_id}")
async def read(request: Request, mirror_id: int, identity: SignedIn) -> MirrorModel:
    """One mirror, for administrators."""
    _require_administrator(identity)
    return MirrorModel.of(await administration.find_mirror(context_of(request, Context), mirror_id))


@router.patch("/{mirror_id}", openapi_extra=documented(MirrorChanges))
async def change(request: Request, mirror_id: int, identity: SignedIn) -> MirrorModel:
    """Change a mirror, for administrators. Its kind stays, and so does everything on it."""
    _require_administrator(identity)
    context = context_of(request, Context)
    asked = await read_model(request, MirrorChanges)
    changes = asked.model_dump(include=asked.model_fields_set)
    await administration.change_mirror(context, mirror_id, changes, author_of(request, identity))
    return MirrorModel.of(await administration.find_mirror(context, mirror_id))


@router.delete("/{mirror_id}", status_code=204)
async def remove(
    request: Request, mirror_id: int, identity: SignedIn, forget: Annotated[bool, Query()] = False
) -> None:
    """Remove a mirror with everything on it, or (`forget`) leave there what is there; for administrators."""
    _require_administrator(identity)
    author = author_of(request, identity)
    await administration.remove_mirror(context_of(request, Context), mirror_id, forget=forget, author=author)


@router.post("/{mirror_id}/probe")
async def probe(request: Request, mirror_id: int, identity: SignedIn) -> Probe:
    """Write a small object to a mirror, read it back and delete it, and tell which step fails; for administrators."""
    _require_administrator(identity)
    context = context_of(request, Context)
    found = await administration.find_mirror(context, mirror_id)
    failure = await upkeep.probe_mirror(context, found.mirror)
    return Probe(error=failure.error, step=failure.step, message=failure.message) if failure else Probe(error=None)


def _require_administrator(identity: Identity) -> None:
    if not identity.is_administrator:
        raise Forbidden("only administrators define mirrors")
