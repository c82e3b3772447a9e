"""Making accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from auth_service.accounts.model import NameTaken, RegistrationClosed
from auth_service.context import Context
from auth_service.directory import names, queries
from auth_service.directory.model import Account
from auth_service.directory.queries import NewAccount
from auth_service.links.model import Invitation, InvitationInvalid
from auth_service.links.queries import open_invitation, use_invitation
from auth_service.sessions import known_addresses
from auth_service.sessions.model import Grant, OpenedSession
from auth_service.sessions.opening import open_sessions
from common import clock, logging
from common.audit import Act, Author
from common.audit_log import record
from common.credentials import digest
from common.db import Connection
from common.identity import Role
from common.ids import new_id
from common.lookalikes import skeleton


@dataclass(frozen=True, slots=True)
class Registration:
    """The account that a client at `address` asks for."""

    name: str
    password: str
    address: str
    email: str | None = None
    profile: Mapping[str, Any] = field(default_factory=dict[str, Any])
    invitation: str | None = None
    """The token of an invitation, which is needed while registration is closed."""


async def register(context: Context, new: Registration, *grants: Grant) -> tuple[OpenedSession, ...]:
    """Make an account, and open sessions for it.

    Raises `RegistrationClosed`, `InvitationInvalid`, `NameUnusable`, `EmailUnusable`, `NameTaken`, `PasswordUnusable`,
    `Unavailable`.
    """
    if new.invitation is None and not (await context.policy.current()).registration:
        raise RegistrationClosed
    name = names.shown(new.name)
    if names.is_reserved(name):
        raise NameTaken
    email = None if new.email is None else names.email(new.email)
    async with context.db.connection() as connection:
        # Asked first because hashing costs more; the unique index decides.
        if new.invitation is not None and not await open_invitation(connection, digest(new.invitation), clock.now()):
            raise InvitationInvalid
        if await queries.account_of_name(connection, names.key(name)):
            raise NameTaken
    password_hash = await context.passwords.hash(new.password)
    async with context.db.transaction() as connection:
        account_id = new_id()
        invitation = await _use(connection, new, account_id)
        role = invitation.role if invitation else Role.USER
        account = await _insert(connection, name, email, password_hash, role, new.profile, account_id)
        if account is None:
            raise NameTaken
        if invitation:
            values = {"role": role, "note": invitation.note}
            act = Act("account.register", "account", str(account.id), account.name, new=values)
            await record(connection, Author(account.identity(invitation.id, None), new.address), [act])
        await known_addresses.remember(connection, account.id, new.address)
        return await open_sessions(context, connection, account, grants, clock.now()) if grants else ()


async def ensure_administrator(context: Context, name: str, password: str) -> bool:
    """Make the first administrator unless there is one. Returns whether one was made.

    A user who already has the name is not promoted: whoever registered it did not know the password.
    """
    async with context.db.connection() as connection:
        if await queries.count_administrators(connection):
            return False
    password_hash = await context.passwords.hash(password)
    async with context.db.transaction() as connection:
        await queries.lock_administrators(connection)
        if await queries.count_administrators(connection):
            return False
        made = await _insert(connection, names.shown(name), None, password_hash, Role.ADMINISTRATOR, {}, new_id())
    if made is None:
        logging.get(__name__).error("there is no administrator: the name for the first one is taken; set ADMIN_NAME")
    return made is not None


async def _use(connection: Connection, new: Registration, account_id: UUID) -> Invitation | None:
    """The invitation, used up. Raises `InvitationInvalid` if another request was faster."""
    if new.invitation is None:
        return None
    invitation = await use_invitation(connection, digest(new.invitation), account_id, clock.now())
    if invitation is None:
        raise InvitationInvalid
    return invitation


async def _insert(
    connection: Connection,
    name: str,
    email: str | None,
    password_hash: str,
    role: Role,
    profile: Mapping[str, Any],
    account_id: UUID,
) -> Account | None:
    new = NewAccount(
        id=account_id,
        name=name,
        name_key=names.key(name),
        name_skeleton=skeleton(name),
        email=email,
        email_key=None if email is None else names.key(email),
        password_hash=password_hash,
        role=role,
        profile=profile,
        created_at=clock.now(),
    )
    return await queries.insert_account(connection, new)
