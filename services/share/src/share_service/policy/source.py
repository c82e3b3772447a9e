"""The policy in force: the defaults of the environment, overridden by what an administrator changed at run time."""

import asyncio
import time

from common import logging
from common.db import Database, DatabaseUnavailable
from common.policy import Policy
from share_service.policy.queries import policy_changes

CACHE_SECONDS = 3.0


class CachedPolicy:
    """Reads the policy through a cache of a few seconds; while the database is down, the last known one applies."""

    def __init__(self, db: Database, defaults: Policy) -> None:
        self._db, self._defaults = db, defaults
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
                changes = await policy_changes(connection)
        except DatabaseUnavailable:
            if not self._policy:
                raise
            logging.get(__name__).warning("the policy could not be read; the last known one applies")
            return self._policy
        return Policy.model_validate(self._defaults.model_dump() | {change.name: change.value for change in changes})
