"""Links by which the owner of an account sets a new password without knowing the present one."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth_service.accounts.administrators import lock_as_administrator
from auth_service.context import Context
from auth_service.directory import queries as accounts
from auth_service.directory.model import Account
from auth_service.links import queries
from auth_service.links.model import RESET_LIFETIME, LinkInvalid, Reset, new_token
from auth_service.sessions.revoking import end_all
from common import clock
from common.audit import Act, Author
from common.audit_log import record
from common.credentials import digest
from common.ids import new_id


@dataclass(frozen=True, slots=True)
class NewReset:
    """The token of a link, and when it expires."""

    token: str
    expires_at: datetime


async def make_reset(context: Context, author: Author, account_id: UUID) -> NewReset:
    """Make a link for an account; an earlier one is void. The token can never be read again.

    Raises `Forbidden`, `AccountNotFound`.
    """
    author.require_administrator()
    token, expires_at = new_token(), clock.now() + RESET_LIFETIME
    async with context.db.transaction() as connection:
        account = await lock_as_administrator(connection, author, account_id)
        reset = Reset(new_id(), account_id, _password_digest(account))
        await queries.put_reset(connection, reset, digest(token), author.identity.account_id, expires_at)
        new = {"expires_at": expires_at.isoformat()}
        await record(connection, author, [Act("account.reset", "account", str(account_id), account.name, new=new)])
    return NewReset(token, expires_at)


async def use_reset(context: Context, token: str, password: str, address: str) -> None:
    """Set a new password by a link, which is used up; all sessions of the account end.

    A suspended account stays so. Raises `LinkInvalid`, also if the password was changed since the link was made,
    `PasswordUnusable`, `CredentialsUnavailable`.
    """
    async with context.db.connection() as connection:
        # Asked first because hashing costs more.
        found = await queries.valid_reset(connection, digest(token), clock.now())
    if found is None:
        raise LinkInvalid
    new_hash = await context.passwords.hash(password)
    async with context.db.transaction() as connection:
        account = await accounts.lock_account(connection, found.account_id)
        reset = await queries.use_reset(connection, digest(token), clock.now())
        if account is None or reset is None or reset.password_digest != _password_digest(account):
            raise LinkInvalid
        await accounts.set_password(connection, account.id, account.password_hash, new_hash)
        author = Author(account.identity(reset.id, None), address)
        await record(connection, author, [Act("account.password", "account", str(account.id), account.name)])
        await end_all(context, connection, account.id)


def _password_digest(account: Account) -> bytes:
    return hashlib.sha256(account.password_hash.encode()).digest()
