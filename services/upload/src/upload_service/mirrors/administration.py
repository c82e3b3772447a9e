"""Mirrors as administrators define, change, remove and see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.audit import Act, Author, Values
from common.audit import changed as changed_values
from common.audit_log import record
from common.db import Connection
from common.errors import Conflict, InvalidInput
from upload_service.mirrors import removing, renewing
from upload_service.mirrors.context import Context
from upload_service.mirrors.drivers import DESTINATION, LOCATION, secret_names
from upload_service.mirrors.model import MAX_PARALLEL, REMEMBERED, Mirror, check_link_pattern, check_mirror_name
from upload_service.mirrors.queries import claimed, mirrors, replicas
from upload_service.mirrors.sealing import Unsealable
from upload_service.mirrors.wishes import MirrorNotFound

_FIELDS = ("name", "kind", "link_pattern", "accounts", "is_default", "is_enabled", "parallel")


class MirrorNameTaken(Conflict):
    """Another mirror has this name."""

    code = "mirror_name_taken"


@dataclass(frozen=True, slots=True)
class MirrorSpec:
    """The definition of a mirror, as an administrator gives it."""

    name: str
    kind: str
    options: dict[str, str]
    """Those of its kind; see `drivers`."""
    link_pattern: str = ""
    accounts: list[UUID] | None = None
    is_default: bool = False
    is_enabled: bool = True
    parallel: int = 2


@dataclass(frozen=True, slots=True)
class MirrorSummary:
    """A mirror as an administrator sees it: without secrets, with the number of its replicas by state."""

    mirror: Mirror
    options: dict[str, str]
    secrets: list[str]
    """The names of the options that are set but never shown."""
    replicas: dict[str, int]


async def define_mirror(context: Context, spec: MirrorSpec, author: Author | None = None) -> Mirror:
    """Add a mirror. `author`: the administrator whose act is recorded. Raises `InvalidInput`, `MirrorNameTaken`."""
    async with context.db.transaction() as connection:
        mirror = await mirrors.insert_mirror(connection, {**_values(context, spec), "kind": spec.kind})
        if mirror is None:
            raise MirrorNameTaken
        await _record(connection, author, "mirror.create", mirror, {}, _shown(mirror, spec.options))
    return mirror


async def change_mirror(
    context: Context, mirror_id: int, changes: dict[str, Any], author: Author | None = None
) -> Mirror:
    """Change fields of `MirrorSpec`, except the kind; returns the mirror as it is then.

    Of `options` only those that are named change; an empty text drops one. So secrets need not be given again, unless
    the change would send them to somebody else. Everything that has failed there is tried again. If the location
    changes, all replicas are looked for at the new one; nothing is removed from the old one. Raises `MirrorNotFound`,
    `InvalidInput`, `MirrorNameTaken`.
    """
    async with context.db.transaction() as connection:
        mirror = await mirrors.lock_mirror(connection, mirror_id)
        if mirror is None or mirror.removed_at:
            raise MirrorNotFound
        before, named = _opened(context, mirror), changes.get("options", {})
        options = {name: value for name, value in (before | named).items() if value}
        kept = options.keys() & secret_names(mirror.kind) - named.keys()
        if kept and _differ(before, options, DESTINATION):
            raise InvalidInput(f"the recipient of {', '.join(sorted(kept))} changes, so it must be given again")
        after: dict[str, Any] = {name: getattr(mirror, name) for name in _FIELDS} | changes | {"options": options}
        changed = await mirrors.update_mirror(connection, mirror_id, _values(context, MirrorSpec(**after)))
        if changed is None:
            raise MirrorNameTaken
        secrets = sorted(name for name in secret_names(mirror.kind) if before.get(name) != options.get(name))
        old, new = _shown(mirror, before), {**_shown(changed, options), **({"secrets": secrets} if secrets else {})}
        await _record(connection, author, "mirror.change", mirror, old, new)
        await renewing.try_failed_again(connection, mirror_id)
        if _differ(before, options, LOCATION):
            await renewing.check_all_on(connection, mirror_id)
    return changed


async def _record(
    connection: Connection, author: Author | None, act: str, mirror: Mirror, old: Values, new: Values
) -> None:
    """Record what an administrator did to a mirror."""
    if author:
        before, after = changed_values(old, new)
        await record(connection, author, [Act(act, "mirror", str(mirror.id), mirror.name, before, after)])


def _shown(mirror: Mirror, options: Mapping[str, str]) -> dict[str, Any]:
    """The values of a mirror for the log, without secrets."""
    values = {name: getattr(mirror, name) for name in _FIELDS}
    accounts = None if mirror.accounts is None else [str(account) for account in mirror.accounts]
    shown = {name: value for name, value in options.items() if name not in secret_names(mirror.kind)}
    return {**values, "accounts": accounts, "options": shown}


def _differ(before: Mapping[str, str], after: Mapping[str, str], names: frozenset[str]) -> bool:
    return any(before.get(name) != after.get(name) for name in names)


def _opened(context: Context, mirror: Mirror) -> dict[str, str]:
    """A mirror's options; none if they cannot be opened, so that they must be given again."""
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


async def remove_mirror(context: Context, mirror_id: int, *, forget: bool, author: Author | None = None) -> None:
    """Remove a mirror with everything on it, or (`forget`) leave there what is there. Raises `MirrorNotFound`.

    It is not used from then on, and no file lists it any more. The worker removes its replicas; the mirror disappears
    after the last.
    """
    async with context.db.transaction() as connection:
        mirror = await mirrors.lock_mirror(connection, mirror_id)
        if mirror is None:
            raise MirrorNotFound
        removed = await mirrors.mark_removed(connection, mirror_id, forget=forget)
        await _record(connection, author, "mirror.remove", mirror, {}, {"forget": forget})
        # The sweep does the rest, if there is more.
        await removing.remove_some(connection, removed or mirror)
        await replicas.forget_removed(connection, REMEMBERED, removing.BATCH)
        await mirrors.delete_removed(connection)
        due = await claimed.due_replicas(connection, mirror_id)
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
    options, secret = _opened(context, mirror), secret_names(mirror.kind)
    shown = {name: value for name, value in options.items() if name not in secret}
    return MirrorSummary(mirror, shown, sorted(options.keys() & secret), counts)
