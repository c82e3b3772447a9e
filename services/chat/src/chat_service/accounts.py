"""Other accounts than the one that asks: their names, as `auth` knows them."""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from common.peers import Peer

REMEMBER_SECONDS = 30
_REMEMBERED = 20_000
# As many as auth tells of in one answer.
BATCH = 10_000
# More than any account's name has.
NAME_LENGTH = 1024

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Account:
    """What everybody may know of an account."""

    id: UUID
    name: str
    avatar_url: str | None


class Accounts:
    """Accounts by their names or ids, each remembered for half a minute."""

    def __init__(self, auth: Peer) -> None:
        self._auth = auth
        self._by_name: OrderedDict[str, tuple[Account | None, float]] = OrderedDict()
        self._by_id: OrderedDict[UUID, tuple[Account | None, float]] = OrderedDict()

    async def find(self, name: str) -> Account | None:
        """The account that somebody means by `name`; None: there is none. Raises `Unavailable`."""
        if not 0 < len(name) <= NAME_LENGTH or not _is_unicode(name):
            return None
        known = _recall(self._by_name, name)
        if known is None:
            answer = await self._auth.call("POST", "/internal/accounts/find", {"name": name})
            known = (_account(answer["account"]) if answer["account"] else None,)
            _remember(self._by_name, name, known[0])
        return known[0]

    async def of_ids(self, ids: Iterable[UUID]) -> dict[UUID, Account]:
        """Those of the accounts that there are. Raises `Unavailable`."""
        found: dict[UUID, Account | None] = {}
        asked: list[UUID] = []
        for account_id in set(ids):
            known = _recall(self._by_id, account_id)
            if known is None:
                asked.append(account_id)
            else:
                found[account_id] = known[0]
        for start in range(0, len(asked), BATCH):
            batch = asked[start : start + BATCH]
            body = {"ids": [str(account_id) for account_id in batch]}
            answer = await self._auth.call("POST", "/internal/accounts/names", body)
            told = {account.id: account for account in map(_account, answer["accounts"])}
            for account_id in batch:
                found[account_id] = told.get(account_id)
                _remember(self._by_id, account_id, told.get(account_id))
        return {account_id: account for account_id, account in found.items() if account}


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _account(values: dict[str, Any]) -> Account:
    return Account(UUID(values["id"]), values["name"], values["avatar_url"])


def _recall(known: OrderedDict[Key, tuple[Account | None, float]], key: Key) -> tuple[Account | None] | None:
    entry = known.get(key)
    return (entry[0],) if entry and entry[1] > time.monotonic() else None


def _remember(known: OrderedDict[Key, tuple[Account | None, float]], key: Key, account: Account | None) -> None:
    known[key] = account, time.monotonic() + REMEMBER_SECONDS
    known.move_to_end(key)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
