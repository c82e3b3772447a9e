"""The rules about administrators: there is always one, and what one does ends with the right to do it."""

from uuid import UUID

from auth_service.accounts.model import AccountNotFound, LastAdministrator
from auth_service.directory import queries
from auth_service.directory.model import Account
from auth_service.sessions.queries import identity_of_session
from common.audit import Author
from common.db import Connection
from common.errors import Forbidden


async def lock_as_administrator(connection: Connection, author: Author, account_id: UUID) -> Account:
    """The account, locked together with the roles of all others, on behalf of an administrator.

    Raises `AccountNotFound`, and `Forbidden` if the author's session, or its role, ended while the request was on its
    way.
    """
    await queries.lock_administrators(connection)
    await require_acting(connection, author)
    return await _locked(connection, account_id)


async def lock_for_removal(connection: Connection, account_id: UUID) -> Account:
    """The account, locked together with the roles of all others, on behalf of its owner. Raises `AccountNotFound`."""
    await queries.lock_administrators(connection)
    return await _locked(connection, account_id)


async def require_acting(connection: Connection, author: Author) -> None:
    """Raise `Forbidden` unless the author is an administrator at this moment, by a session that has not ended."""
    identity = await identity_of_session(connection, author.identity.credential_id)
    if identity is None or not identity.is_administrator:
        raise Forbidden


async def keep_an_administrator(connection: Connection, account: Account) -> None:
    """Raise `LastAdministrator` if this account is the only administrator who is not suspended."""
    if account.may_administer and await queries.count_administrators(connection) == 1:
        raise LastAdministrator


async def _locked(connection: Connection, account_id: UUID) -> Account:
    account = await queries.lock_account(connection, account_id)
    if account is None:
        raise AccountNotFound
    return account
