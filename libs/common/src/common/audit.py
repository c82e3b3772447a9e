"""The audit log: who did what to what, when and from where, with the values before and after.

Each service that administrators act in has a table of entries, so that an entry is committed together with its act.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common import clock
from common.errors import Forbidden
from common.identity import Identity, Role
from common.ids import new_id
from common.rights import Action, Actor, permitted

Values = Mapping[str, Any]
"""Values of JSON. Secrets are left out: codes, keys, passwords and their hashes."""


@dataclass(frozen=True, slots=True)
class Author:
    """Someone who acts, and where the request came from."""

    identity: Identity
    address: str
    request_id: str | None = None

    def require_administrator(self) -> None:
        """Raise `Forbidden` unless this is an administrator."""
        if not permitted(Action.ADMINISTER, Actor(self.identity), None):
            raise Forbidden


OPERATOR = Author(Identity(UUID(int=0), "system", Role.ADMINISTRATOR, UUID(int=0), None), "operator")
"""The person who runs the operator's commands on the machine. Nobody can register the name."""


@dataclass(frozen=True, slots=True)
class Act:
    """An act on a target. `old` and `new`: the values that it changed."""

    name: str
    """Such as `share.end`."""
    target_kind: str
    target_id: str | None = None
    target_name: str | None = None
    old: Values | None = None
    new: Values | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An act as it was recorded."""

    id: UUID
    at: datetime
    act: str
    account_id: UUID
    account_name: str
    credential_id: UUID
    address: str
    request_id: str | None
    target_kind: str
    target_id: str | None
    target_name: str | None
    old: dict[str, Any] | None
    new: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The entries that are looked for: those that all of these values fit. None fits every entry."""

    actor: str | None = None
    """The account's id, or its name at that time, whatever its case."""
    act: str | None = None
    """Such as `share.end`; `share` stands for all acts whose names begin with it and a dot."""
    target: str | None = None
    """The target's id or name, whatever its case."""
    address: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    """The first moment after them."""


def entry_of(author: Author, act: Act) -> Entry:
    """An act of this moment, as it is recorded."""
    return Entry(
        id=new_id(),
        at=clock.now(),
        act=act.name,
        account_id=author.identity.account_id,
        account_name=author.identity.name,
        credential_id=author.identity.credential_id,
        address=author.address,
        request_id=author.request_id,
        target_kind=act.target_kind,
        target_id=act.target_id,
        target_name=act.target_name,
        old=None if act.old is None else dict(act.old),
        new=None if act.new is None else dict(act.new),
    )


def changed(old: Values, new: Values) -> tuple[dict[str, Any], dict[str, Any]]:
    """Those values that differ, before and after."""
    names = [name for name in new if old.get(name) != new[name]]
    return {name: old.get(name) for name in names}, {name: new[name] for name in names}
