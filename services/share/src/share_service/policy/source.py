"""The policy in force: the defaults of the environment, overridden by what an administrator changed at run time."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from common import logging
from common.db import Database, DatabaseUnavailable
from common.policy import Policy
from share_service.policy.queries import newest_revision

CACHE_SECONDS = 2.0
"""The upload service keeps what it was told for as long, so a change takes effect everywhere within five seconds."""

_log = logging.get(__name__)


class CachedPolicy:
    """Reads the policy through a cache of a few seconds; while the database is down, the last known one applies."""

    def __init__(self, db: Database, defaults: Policy) -> None:
        self.defaults = defaults
        self._db = db
        self._policy: Policy | None = None
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def current(self) -> Policy:
        """The policy. Raises `DatabaseUnavailable` if it was never read."""
        if self._policy and time.monotonic() < self._read_at + CACHE_SECONDS:
            return self._policy
        async with self._lock:
            if not self._policy or time.monotonic() >= self._read_at + CACHE_SECONDS:
                self._policy = await self._read()
                self._read_at = time.monotonic()
            return self._policy

    async def _read(self) -> Policy:
        try:
            async with self._db.connection() as connection:
                revision = await newest_revision(connection)
        except DatabaseUnavailable:
            if not self._policy:
                raise
            _log.warning("the policy could not be read; the last known one applies")
            return self._policy
        return in_force(self.defaults, revision.changes)


def in_force(defaults: Policy, changes: Mapping[str, Any]) -> Policy:
    """The policy that follows. A value that another version of this program stored and this one refuses is left out."""
    try:
        return Policy.model_validate({**defaults.model_dump(), **changes})
    except ValidationError as error:
        refused = {str(found["loc"][0]) for found in error.errors()}
        _log.error("values of the policy are not valid; the environment's apply", fields=sorted(refused))
        return in_force(defaults, {name: value for name, value in changes.items() if name not in refused})
