"""Statements about the policy."""

from dataclasses import dataclass
from typing import Any

from common.db import Connection
from common.db.rows import fetch_all


@dataclass(frozen=True, slots=True)
class Change:
    """A field of the policy that an administrator has changed, and its value."""

    name: str
    value: Any


async def policy_changes(connection: Connection) -> list[Change]:
    """All changes that an administrator has made."""
    return await fetch_all(connection, Change, "select name, value from policy", {})
