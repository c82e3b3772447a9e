"""The standing of an account, which administrators change: its role, and whether it is suspended."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from auth_service.accounts import credentials
from auth_service.accounts.administrators import keep_an_administrator, lock_as_administrator
from auth_service.context import Context
from auth_service.directory import queries
from auth_service.directory.model import Account
from auth_service.sessions.revoking import end_all
from common import clock
from common.audit import Act, Author, changed
from common.audit_log import record
from common.db import Connection
from common.identity import Role


@dataclass(frozen=True, slots=True)
class Standing:
    """The standing that an account is to have. None: as it is."""

    role: Role | None = None
    suspended: bool | None = None
    reason: str | None = None
    """The reason for the suspension."""


async def change_standing(context: Context, author: Author, account_id: UUID, wanted: Standing) -> Account:
    """Give an account another standing.

    A suspension ends all sessions of the account. Until it is lifted, its API keys are not accepted, and its webhooks
    and notices are told of nothing, because the share service asks before it calls them. What the account owns stays.

    Raises `Forbidden`, `AccountNotFound`, `LastAdministrator`, `CredentialsUnavailable`.
    """
    author.require_administrator()
    async with context.db.transaction() as connection:
        account = await lock_as_administrator(connection, author, account_id)
        after = _changed(account, wanted)
        if after == account:
            return account
        if not after.may_administer:
            await keep_an_administrator(connection, account)
        await queries.set_standing(connection, after)
        await record(connection, author, _acts(account, after))
        await _tell(context, connection, account, after)
    return after


def _changed(account: Account, wanted: Standing) -> Account:
    after = replace(account, role=wanted.role or account.role)
    if wanted.suspended is None:
        return after
    if not wanted.suspended:
        return replace(after, suspended_at=None, suspended_for=None)
    reason = account.suspended_for if wanted.reason is None else wanted.reason or None
    return replace(after, suspended_at=account.suspended_at or clock.now(), suspended_for=reason)


async def _tell(context: Context, connection: Connection, before: Account, after: Account) -> None:
    """Make the credentials right, which every service holds in its cache, right before the commit."""
    if not after.is_suspended:
        await credentials.update_all(context, connection, after)
    elif not before.is_suspended:
        await credentials.revoke_all(context, connection, after.id)
        await end_all(context, connection, after.id)


def _acts(before: Account, after: Account) -> list[Act]:
    def act(name: str, old: dict[str, Any], new: dict[str, Any]) -> Act:
        return Act(name, "account", str(after.id), after.name, *changed(old, new))

    acts: list[Act] = []
    if before.role is not after.role:
        acts.append(act("account.role", {"role": before.role}, {"role": after.role}))
    if (before.suspended_at, before.suspended_for) != (after.suspended_at, after.suspended_for):
        name = "account.suspend" if after.is_suspended else "account.restore"
        acts.append(act(name, _suspension(before), _suspension(after)))
    return acts


def _suspension(account: Account) -> dict[str, Any]:
    return {"suspended": account.is_suspended, "reason": account.suspended_for}
