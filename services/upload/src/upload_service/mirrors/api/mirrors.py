"""`/v1/mirrors`: where files can be copied to, for those who choose among them and those who define them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from common.errors import Forbidden
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.identity import Identity
from upload_service.mirrors import administration as mirrors
from upload_service.mirrors import choices, upkeep
from upload_service.mirrors.administration import MirrorSpec, MirrorSummary
from upload_service.mirrors.choices import UsableMirror
from upload_service.mirrors.context import Context
from upload_service.mirrors.model import MAX_PARALLEL

Options = dict[str, Annotated[str, Field(max_length=16384)]]
Parallel = Annotated[int, Field(ge=1, le=MAX_PARALLEL)]


class UsableMirrorModel(BaseModel):
    """A mirror that the account may use. `is_default`: its files go there when nothing else is said."""

    id: int
    name: str
    kind: str
    is_default: bool
    is_well: bool
    """Whether it did what it was last asked to."""

    @staticmethod
    def of(mirror: UsableMirror) -> "UsableMirrorModel":
        return UsableMirrorModel(
            id=mirror.id,
            name=mirror.name,
            kind=mirror.kind,
            is_default=mirror.is_default,
            is_well=mirror.is_well,
        )


class UsableMirrors(BaseModel):
    """The mirrors that the account may use."""

    mirrors: list[UsableMirrorModel]


class Choice(BaseModel):
    """Where the account's files go when nothing else is said; null: to the administrator's default mirrors."""

    model_config = {"extra": "forbid"}

    mirrors: Annotated[list[int], Field(max_length=1000)] | None


class MirrorModel(BaseModel):
    """A mirror as administrators see it. Secrets are never shown: `secrets` names those that are set."""

    id: int
    name: str
    kind: str
    options: dict[str, str]
    secrets: list[str]
    link_pattern: str
    accounts: list[UUID] | None
    """Who may use it; null: every account."""
    is_default: bool
    is_enabled: bool
    parallel: int
    """How many replicas are worked on at once at most."""
    replicas: dict[str, int]
    """How many there are, by state."""
    created_at: datetime
    is_being_removed: bool
    probed_at: datetime | None
    probe_error: str | None
    failures: int
    """How often in a row it did not do what it was asked to."""
    open_until: datetime | None
    """Until then nothing is tried, because of those."""

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
    """A mirror to be added. `options` are of its kind; `link_pattern`: an URL with `{path}`, for public links."""

    model_config = {"extra": "forbid"}

    name: str
    kind: str
    options: Options
    link_pattern: str = ""
    accounts: Annotated[list[UUID], Field(max_length=10_000)] | None = None
    is_default: bool = False
    is_enabled: bool = True
    parallel: Parallel = 2


class MirrorChanges(BaseModel):
    """What is to become different; what is left out stays, also of `options`, where an empty text drops one."""

    model_config = {"extra": "forbid"}

    name: str = ""
    options: Options = Field(default_factory=dict)
    link_pattern: str = ""
    accounts: Annotated[list[UUID], Field(max_length=10_000)] | None = None
    is_default: bool = False
    is_enabled: bool = True
    parallel: Parallel = 2


class Probe(BaseModel):
    """What a probe found; null: the mirror answers and takes our credentials."""

    error: str | None


def router(context: Context) -> APIRouter:
    """The routes; errors are problem details."""
    routes = APIRouter(prefix="/v1/mirrors", tags=["mirrors"])
    wide: Any = {"openapi_extra": documented(NewMirror)}

    @routes.get("")
    async def list_usable(identity: SignedIn) -> UsableMirrors:
        """The mirrors that the account may use."""
        found = await choices.usable_mirrors(context, identity)
        return UsableMirrors(mirrors=[UsableMirrorModel.of(mirror) for mirror in found])

    @routes.put("/choice", openapi_extra=documented(Choice))
    async def choose(request: Request, identity: SignedIn) -> UsableMirrors:
        """Say where the account's new files go when nothing else is said."""
        asked = await read_model(request, Choice)
        await choices.choose_mirrors(context, identity, asked.mirrors)
        return await list_usable(identity)

    @routes.get("/all")
    async def list_all(identity: SignedIn) -> MirrorList:
        """Every mirror, for administrators."""
        _require_administrator(identity)
        return MirrorList(mirrors=[MirrorModel.of(found) for found in await mirrors.list_mirrors(context)])

    @routes.post("", status_code=201, **wide)
    async def define(request: Request, identity: SignedIn) -> MirrorModel:
        """Add a mirror, for administrators."""
        _require_administrator(identity)
        asked = await read_model(request, NewMirror)
        mirror = await mirrors.define_mirror(context, MirrorSpec(**asked.model_dump()))
        return MirrorModel.of(await mirrors.find_mirror(context, mirror.id))

    @routes.get("/{mirror_id}")
    async def read(mirror_id: int, identity: SignedIn) -> MirrorModel:
        """One mirror, for administrators."""
        _require_administrator(identity)
        return MirrorModel.of(await mirrors.find_mirror(context, mirror_id))

    @routes.patch("/{mirror_id}", openapi_extra=documented(MirrorChanges))
    async def change(request: Request, mirror_id: int, identity: SignedIn) -> MirrorModel:
        """Change a mirror, for administrators. Its kind stays, and so does what is on it."""
        _require_administrator(identity)
        asked = await read_model(request, MirrorChanges)
        await mirrors.change_mirror(context, mirror_id, asked.model_dump(include=asked.model_fields_set))
        return MirrorModel.of(await mirrors.find_mirror(context, mirror_id))

    @routes.delete("/{mirror_id}", status_code=204)
    async def remove(mirror_id: int, identity: SignedIn, forget: Annotated[bool, Query()] = False) -> None:
        """Remove a mirror and, unless `forget`, all that is on it; for administrators."""
        _require_administrator(identity)
        await mirrors.remove_mirror(context, mirror_id, forget=forget)

    @routes.post("/{mirror_id}/probe")
    async def probe(mirror_id: int, identity: SignedIn) -> Probe:
        """Ask a mirror now whether it answers and takes our credentials; for administrators."""
        _require_administrator(identity)
        found = await mirrors.find_mirror(context, mirror_id)
        return Probe(error=await upkeep.probe_mirror(context, found.mirror))

    return routes


def _require_administrator(identity: Identity) -> None:
    if not identity.is_administrator:
        raise Forbidden("only administrators define mirrors")
