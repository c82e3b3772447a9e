"""Mirrors: what an administrator defines, and what accounts choose of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.errors import Conflict, InvalidInput
from common.identity import Identity
from upload_service.mirrors.context import Context
from upload_service.mirrors.drivers import DESTINATION, LOCATION, secret_names
from upload_service.mirrors.model import MAX_PARALLEL, REMEMBERED, Mirror, check_link_pattern, check_mirror_name
from upload_service.mirrors.queries import mirrors, replicas
from upload_service.mirrors.sealing import Unsealable
from upload_service.mirrors.wishes import MirrorNotFound

_FIELDS = ("name", "kind", "link_pattern", "accounts", "is_default", "is_enabled", "parallel")


class MirrorNameTaken(Conflict):
    """Another mirror has this name."""

    code = "mirror_name_taken"


@dataclass(frozen=True, slots=True)
class MirrorSpec:
    """All that an administrator says of a mirror."""

    name: str
    kind: str
    options: dict[str, str]
    """Of its kind; see `drivers`."""
    link_pattern: str = ""
    accounts: list[UUID] | None = None
    is_default: bool = False
    is_enabled: bool = True
    parallel: int = 2


@dataclass(frozen=True, slots=True)
class MirrorSummary:
    """A mirror as an administrator sees it: its options without secrets, and how many replicas it has by state."""

    mirror: Mirror
    options: dict[str, str]
    secrets: list[str]
    """The names of the options that are set and never shown."""
    replicas: dict[str, int]


@dataclass(frozen=True, slots=True)
class UsableMirror:
    """A mirror as the accounts see it that may use it."""

    id: int
    name: str
    kind: str
    is_default: bool
    """Whether the account's files go there when nothing else is said."""
    is_well: bool
    """Whether it did what it was last asked to."""


async def define_mirror(context: Context, spec: MirrorSpec) -> Mirror:
    """Add a mirror. Raises `InvalidInput`, `MirrorNameTaken`."""
    async with context.db.connection() as connection:
        mirror = await mirrors.insert_mirror(connection, {**_values(context, spec), "kind": spec.kind})
    if mirror is None:
        raise MirrorNameTaken
    return mirror


async def change_mirror(context: Context, mirror_id: int, changes: dict[str, Any]) -> Mirror:
    """The mirror after the change: `changes` are fields of `MirrorSpec`, but for its kind.

    Of `options` those that are named are replaced, and those that are empty are dropped, so that secrets need not be
    said again, unless they would be sent to somebody else. What has failed there is tried again, and what was somewhere
    else is looked for; what is there stays there. Raises `MirrorNotFound`, `InvalidInput`, `MirrorNameTaken`.
    """
    async with context.db.transaction() as connection:
        mirror = await mirrors.lock_mirror(connection, mirror_id)
        if mirror is None or mirror.removed_at:
            raise MirrorNotFound
        before, named = _options(context, mirror), changes.get("options", {})
        options = {name: value for name, value in (before | named).items() if value}
        kept = options.keys() & secret_names(mirror.kind) - named.keys()
        if kept and _differ(before, options, DESTINATION):
            raise InvalidInput(f"whoever is sent it changes: {', '.join(sorted(kept))} must be given anew")
        said: dict[str, Any] = {name: getattr(mirror, name) for name in _FIELDS} | changes | {"options": options}
        changed = await mirrors.update_mirror(connection, mirror_id, _values(context, MirrorSpec(**said)))
        if changed is None:
            raise MirrorNameTaken
        await replicas.wake_replicas(connection, mirror_id)
        if _differ(before, options, LOCATION):
            await replicas.doubt_mirror(connection, mirror_id)
    return changed


def _differ(before: Mapping[str, str], after: Mapping[str, str], names: frozenset[str]) -> bool:
    return any(before.get(name) != after.get(name) for name in names)


def _options(context: Context, mirror: Mirror) -> dict[str, str]:
    """A mirror's options, or none where they cannot be opened: then they are to be given anew."""
    try:
        return context.drivers.sealer.open(mirror.options)
    except Unsealable:
        return {}


def _values(context: Context, spec: MirrorSpec) -> dict[str, Any]:
    check_mirror_name(spec.name)
    check_link_pattern(spec.link_pattern)
    if not 1 <= spec.parallel <= MAX_PARALLEL:
        raise InvalidInput(f"parallel is a number from 1 to {MAX_PARALLEL}")
    context.drivers.check(spec.kind, spec.options)
    return {
        "name": spec.name,
        "options": context.drivers.sealer.seal(spec.options),
        "link_pattern": spec.link_pattern,
        "accounts": spec.accounts,
        "is_default": spec.is_default,
        "is_enabled": spec.is_enabled,
        "parallel": spec.parallel,
    }


async def remove_mirror(context: Context, mirror_id: int, *, forget: bool) -> None:
    """Remove a mirror, with all that is on it; `forget`: whatever is there stays there. Raises `MirrorNotFound`.

    Its replicas are removed by the worker, and then the mirror is gone.
    """
    async with context.db.transaction() as connection:
        if await mirrors.lock_mirror(connection, mirror_id) is None:
            raise MirrorNotFound
        await mirrors.mark_removed(connection, mirror_id)
        await mirrors.unwant_everywhere(connection, mirror_id)
        if forget:
            await replicas.forget_mirror(connection, mirror_id)
        else:
            await replicas.condemn_mirror(connection, mirror_id)
        await replicas.forget_removed(connection, REMEMBERED)
        await mirrors.delete_removed(connection)
        due = await replicas.due_replicas(connection, mirror_id)
    for replica_id in due:
        await context.queue.replicate(replica_id)


async def list_mirrors(context: Context) -> list[MirrorSummary]:
    """Every mirror, as an administrator sees it."""
    async with context.db.connection() as connection:
        found = await mirrors.all_mirrors(connection)
        counts = await replicas.count_by_state(connection, [mirror.id for mirror in found])
    return [_summary(context, mirror, counts.get(mirror.id, {})) for mirror in found]


async def find_mirror(context: Context, mirror_id: int) -> MirrorSummary:
    """One mirror, as an administrator sees it. Raises `MirrorNotFound`."""
    async with context.db.connection() as connection:
        mirror = await mirrors.get_mirror(connection, mirror_id)
        counts = await replicas.count_by_state(connection, [mirror_id])
    if mirror is None:
        raise MirrorNotFound
    return _summary(context, mirror, counts.get(mirror_id, {}))


def _summary(context: Context, mirror: Mirror, counts: dict[str, int]) -> MirrorSummary:
    options, secret = _options(context, mirror), secret_names(mirror.kind)
    shown = {name: value for name, value in options.items() if name not in secret}
    return MirrorSummary(mirror, shown, sorted(options.keys() & secret), counts)


async def mirror_ids(context: Context) -> list[int]:
    """Every mirror that is in use, whoever may use it."""
    async with context.db.connection() as connection:
        found = await mirrors.all_mirrors(connection)
    return [mirror.id for mirror in found if mirror.is_enabled and not mirror.removed_at]


async def usable_mirrors(context: Context, identity: Identity) -> list[UsableMirror]:
    """The mirrors that an account may use."""
    account = identity.account_id
    async with context.db.connection() as connection:
        found = await mirrors.usable_mirrors(connection, account)
        choice = await mirrors.get_choice(connection, account)
    return [
        UsableMirror(
            mirror.id,
            mirror.name,
            mirror.kind,
            is_default=mirror.is_default if choice is None else mirror.id in choice,
            is_well=mirror.probe_error is None and mirror.failures == 0,
        )
        for mirror in found
    ]


async def choose_mirrors(context: Context, identity: Identity, mirror_ids: Sequence[int] | None) -> None:
    """Say where an account's files go when nothing else is said; None: to the default mirrors.

    Raises `MirrorNotFound` unless the account may use them all.
    """
    async with context.db.transaction() as connection:
        if mirror_ids is None:
            await mirrors.delete_choice(connection, identity.account_id)
            return
        usable = {mirror.id for mirror in await mirrors.usable_mirrors(connection, identity.account_id)}
        if not set(mirror_ids) <= usable:
            raise MirrorNotFound
        await mirrors.set_choice(connection, identity.account_id, sorted(set(mirror_ids)))
