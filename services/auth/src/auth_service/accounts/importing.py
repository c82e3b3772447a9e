"""Taking accounts over from another system, with the passwords that their owners know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth_service.accounts import queries
from auth_service.accounts.model import PICTURE_ADDRESS_LENGTH, ImportedAccount, NameTaken
from auth_service.directory import names
from auth_service.directory import queries as accounts
from auth_service.directory.names import EmailUnusable, NameUnusable
from auth_service.directory.queries import NewAccount
from common import clock
from common.audit import OPERATOR, Act
from common.audit_log import record
from common.db import Connection, Database
from common.foreign_passwords import UNKNOWN, ForeignHash
from common.identity import Role
from common.ids import new_id
from common.lookalikes import alternatives, is_invisible, skeleton

NUMBERS = 100
"""The names that are tried for one account."""
TEXT_LENGTH = 16_384
"""The characters that are kept of a text of a profile, which every page about the account shows."""


@dataclass(frozen=True, slots=True)
class ForeignAccount:
    """An account as the other system has it."""

    origin: bytes
    """A digest of what identifies it there: the same account is imported once."""
    name: str
    email: str
    password_hash: str
    profile: Mapping[str, str]
    created_at: datetime


class Names:
    """Chooses names, and remembers those that a dry run gave away, which are in no table."""

    def __init__(self, suffix: str) -> None:
        self._suffix = suffix
        self._given: set[tuple[str, str]] = set()

    def candidates(self, name: str) -> Iterator[str]:
        """The name, without what nobody sees; then with the suffix, and with a number. Raises `NameUnusable`."""
        seen = "".join(character for character in name if not is_invisible(character))
        best = _usable(name) or names.shown(seen[: names.NAME_LENGTH])
        for candidate in alternatives(best, names.NAME_LENGTH, self._suffix, NUMBERS):
            if not names.is_reserved(candidate) and not self._given & _keys(candidate):
                yield candidate

    def give(self, name: str) -> None:
        self._given |= _keys(name)


async def import_account(
    db: Database, foreign: ForeignAccount, free: Names, *, source: str, write: bool
) -> ImportedAccount:
    """Make the account, unless it was imported before; without `write`, only see what would come of it.

    Raises `NameTaken` if all names are taken that could be given to it, and `NameUnusable`.
    """
    async with db.connection() as connection, connection.transaction(force_rollback=not write):
        account_id = new_id()
        if not await queries.insert_imported(connection, foreign.origin, account_id, clock.now()):
            known = await queries.imported_account(connection, foreign.origin)
            assert known, "nothing removes these rows"
            return known
        has_password = ForeignHash.parse(foreign.password_hash) is not None
        email = await _free_email(connection, foreign.email)
        name = await _insert(connection, account_id, foreign, free, email, is_known=has_password)
        new = {"from": source, "name": foreign.name.replace("\0", "")[: names.NAME_LENGTH]}
        await record(connection, OPERATOR, [Act("account.import", "account", str(account_id), name, new=new)])
    free.give(name)
    return ImportedAccount(account_id, name, has_password, is_new=True, has_email=email is not None)


async def _insert(
    connection: Connection, account_id: UUID, foreign: ForeignAccount, free: Names, email: str | None, *, is_known: bool
) -> str:
    """Insert the account under the first name that is free, and return the name."""
    profile = {field: text.replace("\0", "")[:TEXT_LENGTH] for field, text in foreign.profile.items() if text}
    if len(profile.get("avatar_url", "")) > PICTURE_ADDRESS_LENGTH:
        del profile["avatar_url"]
    for name in free.candidates(foreign.name):
        new = NewAccount(
            id=account_id,
            name=name,
            name_key=names.key(name),
            name_skeleton=skeleton(name),
            email=email,
            email_key=None if email is None else names.key(email),
            password_hash=foreign.password_hash if is_known else UNKNOWN,
            role=Role.USER,
            profile=profile,
            created_at=foreign.created_at,
        )
        if await accounts.insert_account(connection, new):
            return name
    raise NameTaken


async def _free_email(connection: Connection, text: str) -> str | None:
    """The address, if it is one and no account has it."""
    try:
        email = names.email(text)
    except EmailUnusable:
        return None
    return None if await queries.is_email_taken(connection, names.key(email)) else email


def _usable(name: str) -> str | None:
    try:
        return names.shown(name)
    except NameUnusable:
        return None


def _keys(name: str) -> set[tuple[str, str]]:
    """The key and the skeleton of a name, of which no two accounts have the same."""
    return {("key", names.key(name)), ("skeleton", skeleton(name))}
