"""The owner's side of drop-offs: making, listing, changing and ending them, and seeing what came."""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime
from typing import Any

from common import clock
from common.db import Connection
from common.errors import InvalidInput
from common.identity import Identity
from common.ids import new_code, new_id
from common.pages import Cursor
from common.rights import Action, Actor, permitted
from common.sweeping import Sweep
from share_service.context import Context
from share_service.drops import queries
from share_service.drops.model import CODE_LENGTH, DROPS_EACH, KEPT, Drop, Limits, TooManyDrops, UnknownDrop
from share_service.shares.making import Naming, attempts, crowded, new_name, spelling
from share_service.shares.model import Share, canonical, check_chosen, is_possible
from share_service.shares.owning import LATEST

BATCH = 500


async def create_drop(context: Context, identity: Identity, limits: Limits, naming: Naming) -> Drop:
    """Make a drop-off for the account.

    Raises `InvalidInput`, `CodeRefused`, `CodeTaken`, `CodesCrowded`, `TooManyDrops`.
    """
    now = clock.now()
    if naming.chosen:
        check_chosen(naming.chosen, (await context.policy.current()).chosen_code_length)
    unlimited = dict.fromkeys(("greeting", "size_limit", "item_limit", "share_limit", "expires_at"))
    values: dict[str, Any] = {**unlimited, "types": [], **limits}
    _check_end(values["expires_at"], now)
    async with context.db.transaction() as connection:
        if await queries.lock_drops_of(connection, identity.account_id) >= DROPS_EACH:
            raise TooManyDrops
        for _ in range(attempts(naming)):
            name = new_name(naming) if naming.chosen or naming.words else new_code(CODE_LENGTH)
            drop = Drop(
                id=new_id(), code=name, owner=identity.account_id, received=0, created_at=now, ended_at=None, **values
            )
            if await queries.insert_drop(connection, drop, canonical("code", name), spelling(naming, name)):
                return drop
    raise crowded(naming)


async def owned_drops(context: Context, identity: Identity, after: Cursor | None, limit: int) -> list[Drop]:
    """The account's drop-offs, the newest first."""
    async with context.db.connection() as connection:
        return await queries.drops_of_owner(connection, identity.account_id, after, limit)


async def shares_received(
    context: Context, identity: Identity, code: str, after: Cursor | None, limit: int
) -> list[Share]:
    """The shares that came by a drop-off of the account, the newest first. Raises `UnknownDrop`."""
    async with context.db.connection() as connection:
        drop = _own(await queries.drop_of_code(connection, _canonical(code)), identity)
        return await queries.shares_of_drop(connection, drop.id, after, limit)


async def change_drop(context: Context, identity: Identity, code: str, limits: Limits) -> Drop:
    """Change a drop-off of the account. Raises `UnknownDrop`, `InvalidInput`."""
    if "expires_at" in limits:
        _check_end(limits["expires_at"], None)
    async with context.db.transaction() as connection:
        drop = _own(await queries.lock_drop(connection, _canonical(code)), identity)
        changed = replace(drop, **limits)
        await queries.update_drop(connection, changed)
    return changed


async def end_drop(context: Context, identity: Identity, code: str) -> None:
    """End a drop-off of the account; what came by it stays. Raises `UnknownDrop`."""
    async with context.db.transaction() as connection:
        drop = _own(await queries.lock_drop(connection, _canonical(code)), identity)
        await queries.update_drop(connection, replace(drop, ended_at=drop.ended_at or clock.now()))


def _canonical(code: str) -> str:
    """The code as it is stored. Raises `UnknownDrop` for a text that is none."""
    if not is_possible("code", code):
        raise UnknownDrop
    return canonical("code", code)


def _own(drop: Drop | None, identity: Identity) -> Drop:
    """The drop-off, if the account may change it. For all others there is none."""
    if drop is None or not permitted(Action.EDIT, Actor(identity), drop.owner):
        raise UnknownDrop
    return drop


def _check_end(expires_at: datetime | None, now: datetime | None) -> None:
    if expires_at is not None and (expires_at > LATEST or (now is not None and expires_at <= now)):
        raise InvalidInput("expires_at is in the past, or too far away")


async def _forget(context: Context) -> int:
    async with context.db.transaction() as connection:
        return await queries.delete_ended(connection, clock.now() - KEPT, BATCH)


def _count_forgotten(connection: Connection) -> Awaitable[int]:
    return queries.count_ended(connection, clock.now() - KEPT)


FORGOTTEN = Sweep("drop-offs to delete", _forget, _count_forgotten)
