"""The mirrors that an account may use, and its choice among them."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.identity import Identity
from upload_service.mirrors.context import Context
from upload_service.mirrors.queries import mirrors, wanted
from upload_service.mirrors.wishes import MirrorNotFound


@dataclass(frozen=True, slots=True)
class UsableMirror:
    """A mirror as the accounts that may use it see it."""

    id: int
    name: str
    kind: str
    is_default: bool
    """Whether the account's files go there unless others are named."""
    is_well: bool
    """Whether it did what it was last asked."""


async def mirror_ids(context: Context) -> list[int]:
    """Every mirror that is in use, whoever may use it."""
    async with context.db.connection() as connection:
        found = await mirrors.all_mirrors(connection)
    return [mirror.id for mirror in found if mirror.is_enabled and not mirror.removed_at]


async def usable_mirrors(context: Context, identity: Identity) -> list[UsableMirror]:
    """The mirrors that an account may use."""
    account = identity.account_id
    async with context.db.connection() as connection:
        found = await wanted.mirrors_for(connection, account)
        choice = await wanted.get_choice(connection, account)
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
    """Choose the mirrors for an account's new files when none are named; None returns to the default mirrors.

    Raises `MirrorNotFound` unless the account may use them all.
    """
    async with context.db.transaction() as connection:
        if mirror_ids is None:
            await wanted.delete_choice(connection, identity.account_id)
            return
        usable = {mirror.id for mirror in await wanted.mirrors_for(connection, identity.account_id)}
        if not set(mirror_ids) <= usable:
            raise MirrorNotFound
        await wanted.set_choice(connection, identity.account_id, sorted(set(mirror_ids)))
