"""The owner's side of shares: listing, seeing, changing and withdrawing them, and sharing a file again.

`common.rights` decides who may do what.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypedDict
from uuid import UUID

from common import clock
from common.audit import Act, Author
from common.audit_log import record
from common.db import Connection
from common.errors import Forbidden, InvalidInput, NotFound
from common.expiry import Expiry, ExpiryTooLong
from common.identity import Identity
from common.pages import Cursor
from common.policy import Policy
from common.rights import Action, Actor, Standing, permitted, require, standings
from share_service.context import Context
from share_service.items.queries.held import awaited_of_shares
from share_service.shares.making import Content, Naming, attempts, crowded, insert, new_name, spelling
from share_service.shares.model import EndedFor, Share, ShareEnded, ShareKind, canonical, check_chosen
from share_service.shares.queries import owned
from share_service.shares.queries.ending import end_of_id
from share_service.shares.queries.made import share_of_id

# Later moments cannot be written in every time zone.
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
# The number of links in one answer of File Uploader.
LINK_LIST_LIMIT = 10_000
# The key of a share was given to its maker, so whoever shows it acts for the owner.
_OWNERS = {Standing.OWNER, Standing.SENDER, Standing.KEY_HOLDER, Standing.OWNED_KEY_HOLDER}


@dataclass(frozen=True, slots=True)
class NewShare:
    """Another share of a file that its owner shares already. `name` None: the same name as there."""

    file_id: UUID
    kind: ShareKind
    expiry: Expiry
    name: str | None = None
    password: str | None = None


class Changes(TypedDict, total=False):
    """New values of a share's fields; those that are absent stay as they are."""

    name: str
    title: str | None
    message: str | None
    code: str | None
    """None: a new random one."""
    expires_at: datetime | None
    password: str | None
    uses_left: int | None


async def owned_shares(context: Context, actor: Actor, owner: UUID, after: Cursor | None, limit: int) -> list[Share]:
    """An account's shares, the newest first. Raises `Forbidden` if the actor may not see them."""
    if not permitted(Action.SEE, actor, owner):
        # The answer is the same for every id, so it does not tell whether the account exists.
        raise Forbidden
    async with context.db.connection() as connection:
        return await owned.shares_of_owner(connection, owner, after, limit)


async def awaited_files(context: Context, shares: Sequence[Share]) -> dict[UUID, int]:
    """The number of files that have not arrived, by the ids of those of the shares that wait for some."""
    ids = [share.id for share in shares if share.content_kind == "items"]
    if not ids:
        return {}
    async with context.db.connection() as connection:
        found = await awaited_of_shares(connection, ids)
    return {each.share_id: each.number for each in found}


async def owned_links(context: Context, identity: Identity) -> list[Share]:
    """The newest 10,000 links of an account that can be redeemed, the oldest of them first."""
    async with context.db.connection() as connection:
        return await owned.links_of_owner(connection, identity.account_id, clock.now(), LINK_LIST_LIMIT)


async def see_share(context: Context, actor: Actor, share_id: UUID) -> Share:
    """A share as its owner sees it. Raises `NotFound`."""
    async with context.db.connection() as connection:
        share = await share_of_id(connection, share_id)
    if share is None:
        raise NotFound
    require(Action.SEE, actor, share.owner)
    return share


async def share_again(context: Context, identity: Identity, wanted: NewShare) -> Share:
    """Share a file again that an existing share of the account serves.

    The existing share cannot end until the new one is committed, so the file is not released in between. Raises
    `InvalidInput`, `NotFound`, `Forbidden`, `CodesCrowded`.
    """
    now = clock.now()
    expires_at = _end(wanted.expiry.at, now)
    if expires_at == now:
        raise InvalidInput("expires_at is in the past")
    policy = await context.policy.current()
    naming = Naming(wanted.kind, digits_only=policy.numeric_codes, length=policy.code_length)
    password_hash = await _hash(context, wanted.password)
    async with context.db.transaction() as connection:
        kept = (connection, wanted.file_id, identity.account_id, now)
        serving = await owned.keep_share_of_file(*kept) or await owned.keep_share_of_item(*kept)
        if serving is None:
            raise NotFound
        require(Action.SHARE, Actor(identity), serving.owner)
        content = Content(
            "file",
            wanted.name or serving.name,
            serving.size,
            file_id=wanted.file_id,
            owner=serving.owner,
            password_hash=password_hash,
        )
        made = await insert(connection, content, None, naming, Expiry(expires_at, wanted.expiry.uses), now)
        share = await share_of_id(connection, made.id)
    assert share is not None, "it was made in this transaction"
    return share


async def change_share(context: Context, actor: Actor, share_id: UUID, changes: Changes) -> Share:
    """Change a share that has not ended. A moment in the past ends it; new uses reactivate a spent one.

    Raises `InvalidInput`, `NotFound`, `Forbidden`, `ShareEnded`, `ExpiryTooLong` for a guest's share that would live
    longer than the policy allows, `CodeRefused`, `CodeTaken`, `CodesCrowded`.
    """
    now, policy = clock.now(), await context.policy.current()
    values: dict[str, Any] = {name: value for name, value in changes.items() if name not in ("password", "code")}
    if "expires_at" in changes:
        values["expires_at"] = _end(changes["expires_at"], now)
    if "password" in changes:
        values["password_hash"] = await _hash(context, changes["password"])
    if "uses_left" in changes:
        values["state"] = "active"
    async with context.db.transaction() as connection:
        share = await owned.lock_share(connection, share_id)
        if share is None:
            raise NotFound
        require(Action.EDIT, actor, share.owner)
        if not share.is_resumable(now):
            raise ShareEnded(share.ended_for)
        if "expires_at" in values and Standing.OWNER not in standings(actor, share.owner):
            _check_life(policy, values["expires_at"], now)
        changed = replace(share, **values)
        await owned.update_share(connection, changed)
        if "code" in changes:
            changed = replace(changed, code=await replace_code(connection, share, policy, changes["code"]))
    return changed


async def replace_code(connection: Connection, share: Share, policy: Policy, chosen: str | None) -> str:
    """Give a share another code, `chosen` or random; the old one is unknown from then on. Returns the new one.

    Raises `InvalidInput`, `CodeRefused`, `CodeTaken`, `CodesCrowded`.
    """
    if share.kind != "code":
        raise InvalidInput("only a share with a code can get another one")
    if chosen:
        check_chosen(chosen, policy.chosen_code_length)
    naming = Naming(digits_only=policy.numeric_codes, length=policy.code_length, chosen=chosen)
    for _ in range(attempts(naming)):
        name = new_name(naming)
        if await owned.update_code(connection, share.id, canonical("code", name), spelling(naming, name)):
            return name
    raise crowded(naming)


def _check_life(policy: Policy, expires_at: datetime | None, now: datetime) -> None:
    """Raise `ExpiryTooLong` for an end that no sender without an account could have chosen."""
    if expires_at is None and "forever" in policy.expire_styles:
        return
    if expires_at is None or expires_at > now + policy.longest_life:
        raise ExpiryTooLong(policy.longest_life)


async def withdraw_share(
    context: Context, actor: Actor, share_id: UUID, *, author: Author | None = None, for_copyright: bool = False
) -> None:
    """End a share, and record whether its owner or an administrator did; one that has ended stays as it is.

    `author`: the account that asks for it, if there is one; what it does as an administrator is recorded.
    `for_copyright` is a reason that only administrators may give. Raises `NotFound`, `Forbidden`.
    """
    async with context.db.transaction() as connection:
        share = await share_of_id(connection, share_id)
        if share is None:
            raise NotFound
        require(Action.DELETE, actor, share.owner)
        standing = standings(actor, share.owner)
        if for_copyright and Standing.ADMINISTRATOR not in standing:
            raise Forbidden
        ended_for: EndedFor = "administrator" if standing.isdisjoint(_OWNERS) else "owner"
        await end_of_id(connection, share_id, clock.now(), "copyright" if for_copyright else ended_for)
        if author and ended_for == "administrator" and share.state in ("active", "spent"):
            reason = {"reason": "copyright"} if for_copyright else None
            await record(connection, author, [Act("share.end", "share", str(share_id), share.name, new=reason)])


def _end(expires_at: datetime | None, now: datetime) -> datetime | None:
    """The moment a share is to end, but not before now. Raises `InvalidInput` if it is too late to be written."""
    if expires_at is None:
        return None
    if expires_at > LATEST:
        raise InvalidInput(f"expires_at is later than {LATEST.isoformat()}")
    return max(expires_at, now)


async def _hash(context: Context, password: str | None) -> str | None:
    return None if password is None else await context.passwords.hash(password)
