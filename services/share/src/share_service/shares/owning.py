"""What accounts do with shares: see, make, change, end, adopt. Who may do what is decided in `common.rights`."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from common.db import Connection
from common.errors import Forbidden, NotFound
from common.identity import Identity
from common.pages import Cursor
from common.rights import Action, Actor, Standing, permitted, require, standings
from share_service.shares import queries
from share_service.shares.making import Content, insert
from share_service.shares.model import EndedFor, Naming, Share, ShareEnded, Terms

# What one answer of File Uploader may list.
LINK_LIST_LIMIT = 10_000
END_BATCH = 1000
# Who has the key of a share has it from whoever made it.
_OWNERS = {Standing.OWNER, Standing.KEY_HOLDER, Standing.OWNED_KEY_HOLDER}


@dataclass(frozen=True, slots=True)
class NewShare:
    """Another share of a file that its owner shares already. `name` None: the one that it has there."""

    file_id: UUID
    naming: Naming
    terms: Terms
    name: str | None = None
    password_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """New values of a share's fields, by their names: `name`, `expires_at`, `password_hash`, `uses_left`."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])


async def list_shares(
    connection: Connection, actor: Actor, owner: UUID, after: Cursor | None, limit: int
) -> list[Share]:
    """An account's shares, the newest first. Raises `Forbidden` to who may not see them."""
    if not permitted(Action.SEE, actor, owner):
        # That there is such an account is not told by this: the answer is the same for every id.
        raise Forbidden
    return await queries.shares_of_owner(connection, owner, after, limit)


async def list_links(connection: Connection, actor: Actor, owner: UUID, now: datetime) -> list[Share]:
    """The links of an account that lead anywhere, the oldest first: the newest 10,000 of them. Raises `NotFound`."""
    require(Action.SEE, actor, owner)
    return await queries.links_of_owner(connection, owner, now, LINK_LIST_LIMIT)


async def see_share(connection: Connection, actor: Actor, share_id: UUID) -> Share:
    """A share as its owner sees it. Raises `NotFound`."""
    share = await queries.share_of_id(connection, share_id)
    if share is None:
        raise NotFound
    require(Action.SEE, actor, share.owner)
    return share


async def share_again(connection: Connection, identity: Identity, wanted: NewShare, now: datetime) -> Share:
    """Share a file once more, of which the account has a share that serves it.

    That share is kept from ending until the new one is there, so that the file cannot be released in between. Raises
    `NotFound`, `Forbidden`, `CodesCrowded`.
    """
    serving = await queries.keep_share_of_file(connection, wanted.file_id, identity.account_id, now)
    if serving is None:
        raise NotFound
    require(Action.SHARE, Actor(identity), serving.owner)
    content = Content(
        "file",
        wanted.name or serving.name,
        serving.size,
        file_id=wanted.file_id,
        owner=serving.owner,
        password_hash=wanted.password_hash,
    )
    made = await insert(connection, content, None, wanted.naming, wanted.terms, now)
    share = await queries.share_of_id(connection, made.id)
    assert share is not None, "it was made in this transaction"
    return share


async def edit_share(connection: Connection, actor: Actor, share_id: UUID, changes: Changes, now: datetime) -> Share:
    """Change a share that has not ended. One whose last use is taken can be used again once it is given uses.

    Raises `NotFound`, `Forbidden`, `ShareEnded`.
    """
    share = await queries.lock_share(connection, share_id)
    if share is None:
        raise NotFound
    require(Action.EDIT, actor, share.owner)
    if not share.is_resumable(now):
        raise ShareEnded(share.ended_for)
    changed = replace(share, **changes.values)
    if "uses_left" in changes.values:
        changed = replace(changed, state="active")
    await queries.update_share(connection, changed)
    return changed


async def end_share(
    connection: Connection, actor: Actor, share_id: UUID, now: datetime, *, for_copyright: bool = False
) -> None:
    """End a share, which is remembered as its owner's doing or an administrator's; one that has ended stays so.

    `for_copyright`: an administrator says that this is why. Raises `NotFound`, and `Forbidden` when anybody else does.
    """
    share = await queries.share_of_id(connection, share_id)
    if share is None:
        raise NotFound
    require(Action.DELETE, actor, share.owner)
    standing = standings(actor, share.owner)
    if for_copyright and Standing.ADMINISTRATOR not in standing:
        raise Forbidden
    ended_for: EndedFor = "administrator" if standing.isdisjoint(_OWNERS) else "owner"
    await queries.end_share(connection, share_id, now, "copyright" if for_copyright else ended_for)


async def adopt_share(connection: Connection, identity: Identity, share_id: UUID) -> bool:
    """Make a share that is nobody's the account's own; False when somebody else did, or when it has ended.

    The caller has asked `common.rights` with the share's key, which is not known here.
    """
    return await queries.adopt_share(connection, share_id, identity.account_id)


async def end_shares_of_files(
    connection: Connection, file_ids: list[UUID], now: datetime, ended_for: EndedFor | None = None
) -> int:
    """End all shares of these files. Returns how many; ask again until none is left, for more may be in the making."""
    return await queries.end_of_files(connection, file_ids, now, ended_for)


async def revoke_shares(connection: Connection, share_ids: list[UUID], now: datetime) -> None:
    """End these shares, whoever's they are; those that have ended stay so, and unknown ones are nobody's loss.

    The caller has made sure of its right to them: chat, that each was posted by its owner in a room which says so.
    """
    await queries.end_of_ids(connection, share_ids, now)


async def end_shares_of_owner(connection: Connection, owner: UUID, now: datetime) -> int:
    """End a batch of an account's shares. Returns how many; ask again until none is left."""
    return await queries.end_of_owner(connection, owner, now, END_BATCH)
