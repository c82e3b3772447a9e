"""Statements about the policy."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one


@dataclass(frozen=True, slots=True)
class Revision:
    """A version of what administrators changed."""

    version: int
    changes: dict[str, Any]
    """The values of all fields that do not follow the environment."""
    changed_by: UUID | None
    changed_at: datetime | None
    """None: nobody has changed anything yet."""


FIRST = Revision(0, {}, None, None)
"""The policy of the environment alone."""


async def newest_revision(connection: Connection) -> Revision:
    """The revision in force."""
    statement = "select version, changes, changed_by, changed_at from policy_revision order by version desc limit 1"
    return await fetch_one(connection, Revision, statement, {}) or FIRST


async def list_revisions(connection: Connection, before: int, limit: int) -> list[Revision]:
    """Revisions of a lower version than `before`, the newest first."""
    statement = """
        select version, changes, changed_by, changed_at from policy_revision
        where version < %(before)s order by version desc limit %(limit)s
    """
    return await fetch_all(connection, Revision, statement, {"before": before, "limit": limit})


async def add_revision(connection: Connection, version: int, changes: dict[str, Any], changed_by: UUID) -> bool:
    """Whether this became the revision of that version; another may have taken it."""
    statement = """
        insert into policy_revision (version, changes, changed_by)
        values (%(version)s, %(changes)s, %(changed_by)s) on conflict do nothing
    """
    values = {"version": version, "changes": Jsonb(changes), "changed_by": changed_by}
    return await count(connection, statement, values) == 1
