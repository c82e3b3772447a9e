"""Acts on shares, whoever owns them. Each is recorded in the audit log, in its own transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from common import clock
from common.audit import Act, Author, changed
from common.audit_log import record
from common.errors import InvalidInput, NotFound
from common.names import clean_name
from share_service.administration.model import Note
from share_service.administration.queries import acting as queries
from share_service.context import Context
from share_service.shares.model import Share
from share_service.shares.owning import LATEST, replace_code

NO_NOTE = Note()
Change = Callable[[Share, datetime], Share]
"""The share as it is to be, at a moment."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The shares to which something was done, and those that are not there, or hold nothing any more."""

    done: list[UUID]
    missing: list[UUID]


@dataclass(frozen=True, slots=True)
class Edit:
    """Everything that is to be changed about one share."""

    changes: Sequence[Change] = ()
    note: Note = NO_NOTE
    gives_code: bool = False
    code: str | None = None
    """The new code; None: a random one."""


def extended(by: timedelta) -> Change:
    """It ends later: counted from its end or, if that is past, from now. What never ends by time stays so."""

    def change(share: Share, now: datetime) -> Share:
        if share.expires_at is None:
            return share
        end = max(share.expires_at, now)
        if end > LATEST - by:
            raise InvalidInput(f"the end is later than {LATEST.isoformat()}")
        return replace(share, expires_at=end + by)

    return change


def expiring(at: datetime | None) -> Change:
    """It ends at this moment, or never by time."""
    moment = None if at is None else _writable(at)
    return lambda share, _: replace(share, expires_at=moment)


def limited(uses: int | None) -> Change:
    """It can be redeemed so often from now on, or any number of times. One without a use left becomes active again."""
    return lambda share, _: replace(share, uses_left=uses, state="active" if uses != 0 else "spent")


def renamed(name: str) -> Change:
    """It has this name, cleaned. Raises `InvalidInput`."""
    cleaned = clean_name(name)
    return lambda share, _: replace(share, name=cleaned)


def permanent(share: Share, _: datetime) -> Share:
    """It has no limit."""
    return replace(share, expires_at=None, uses_left=None, state="active")


async def change_shares(
    context: Context, author: Author, name: str, share_ids: Sequence[UUID], *changes: Change
) -> Outcome:
    """Make changes to shares, all of them or none. Raises `Forbidden`, `InvalidInput`."""
    author.require_administrator()
    now = clock.now()
    async with context.db.transaction() as connection:
        before = await queries.lock_shares(connection, share_ids)
        after = [_changed(share, now, changes) for share in before]
        await queries.update_limits(connection, after)
        acts = [_act(name, old, new) for old, new in zip(before, after, strict=True) if old != new]
        await record(connection, author, acts)
    return _outcome(share_ids, before)


async def edit_share(context: Context, author: Author, share_id: UUID, edit: Edit) -> None:
    """Change one share in several ways at once, or not at all.

    Raises `NotFound`, `Forbidden`, `InvalidInput`, and what `replace_code` raises.
    """
    author.require_administrator()
    now, policy = clock.now(), await context.policy.current()
    async with context.db.transaction() as connection:
        found = await queries.lock_shares(connection, [share_id])
        if not found:
            raise NotFound
        share, acts = found[0], list[Act]()
        after = _changed(share, now, edit.changes)
        if after != share:
            await queries.update_limits(connection, [after])
            acts.append(_act("share.change", share, after))
        if edit.gives_code:
            await replace_code(connection, share, policy, edit.code)
            acts.append(_about("share.code", share))
        if edit.note != NO_NOTE:
            await queries.put_note(connection, [share_id], edit.note, now)
            acts.append(_annotated(share, edit.note))
        await record(connection, author, acts)


async def end_shares(context: Context, author: Author, share_ids: Sequence[UUID]) -> Outcome:
    """End shares; their files go with their last shares. Raises `Forbidden`."""
    author.require_administrator()
    async with context.db.transaction() as connection:
        ended = await queries.lock_shares(connection, share_ids)
        await queries.end_shares(connection, [share.id for share in ended], clock.now(), "administrator")
        await record(connection, author, [_about("share.end", share) for share in ended])
    return _outcome(share_ids, ended)


async def annotate_shares(context: Context, author: Author, share_ids: Sequence[UUID], note: Note) -> Outcome:
    """Note something about shares. Raises `Forbidden`."""
    author.require_administrator()
    async with context.db.transaction() as connection:
        found = await queries.lock_shares(connection, share_ids)
        await queries.put_note(connection, [share.id for share in found], note, clock.now())
        await record(connection, author, [_annotated(share, note) for share in found])
    return _outcome(share_ids, found)


async def give_code(context: Context, author: Author, share_id: UUID) -> str:
    """Give a share a new random code; the old one is unknown from then on. Returns the new one.

    Raises `NotFound`, `Forbidden`, `InvalidInput` for a share that has no code, `CodesCrowded`.
    """
    author.require_administrator()
    policy = await context.policy.current()
    async with context.db.transaction() as connection:
        found = await queries.lock_shares(connection, [share_id])
        if not found:
            raise NotFound
        new = await replace_code(connection, found[0], policy, None)
        # A code is a secret, so the log tells only that it changed.
        await record(connection, author, [_about("share.code", found[0])])
    return new


def _changed(share: Share, now: datetime, changes: Sequence[Change]) -> Share:
    for change in changes:
        share = change(share, now)
    return share


def _writable(moment: datetime) -> datetime:
    """The moment, if it can be written in every time zone. Raises `InvalidInput`."""
    if moment > LATEST:
        raise InvalidInput(f"the end is later than {LATEST.isoformat()}")
    return moment


def _outcome(asked: Sequence[UUID], found: Sequence[Share]) -> Outcome:
    done = {share.id for share in found}
    unique = list(dict.fromkeys(asked))
    return Outcome([one for one in unique if one in done], [one for one in unique if one not in done])


def _about(name: str, share: Share) -> Act:
    return Act(name, "share", str(share.id), share.name)


def _annotated(share: Share, note: Note) -> Act:
    new = {name: value for name, value in (("note", note.note), ("tags", note.tags)) if value is not None}
    return replace(_about("share.annotate", share), new=new)


def _act(name: str, old: Share, new: Share) -> Act:
    before, after = changed(_values(old), _values(new))
    return replace(_about(name, old), old=before, new=after)


def _values(share: Share) -> dict[str, Any]:
    """The values that acts change."""
    return {
        "name": share.name,
        "expires_at": share.expires_at.isoformat() if share.expires_at else None,
        "downloads_left": share.uses_left,
    }
