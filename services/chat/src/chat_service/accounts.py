"""The names and pictures of accounts, as the auth service knows them."""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from common.peers import Peer

REMEMBER_SECONDS = 30
_REMEMBERED = 20_000
# The most that auth describes in one answer.
BATCH = 10_000
# Longer than the name of any account.
NAME_LENGTH = 1024

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Account:
    """The public facts about an account."""

    id: UUID
    name: str
    avatar_url: str | None


class Accounts:
    """Finds accounts by names or ids and remembers them for half a minute."""

    def __init__(self, auth: Peer) -> None:
        self._auth = auth
        self._by_name: OrderedDict[str, tuple[Account | None, float]] = OrderedDict()
        self._by_id: OrderedDict[UUID, tuple[Account | None, float]] = OrderedDict()

    async def find(self, name: str) -> Account | None:
        """The account that `name` means; None when there is none. Raises `Unavailable`."""
        if not 0 < len(name) <= NAME_LENGTH or not _is_unicode(name):
            return None
        known = _recall(self._by_name, name)
        if known is None:
            answer = await self._auth.call("POST", "/internal/accounts/find", {"name": name})
            known = (_account(answer["account"]) if answer["account"] else None,)
            _remember(self._by_name, name, known[0])
        return known[0]

    async def of_ids(self, ids: Iterable[UUID]) -> dict[UUID, Account]:
        """The accounts with these ids, without those that were deleted. Raises `Unavailable`."""
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
            answered = {account.id: account for account in map(_account, answer["accounts"])}
            for account_id in batch:
                found[account_id] = answered.get(account_id)
                _remember(self._by_id, account_id, answered.get(account_id))
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
