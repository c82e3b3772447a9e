"""The policy in force: the defaults of the environment under what an administrator changed while running."""

import asyncio
import time

from common import logging
from common.db import Database, DatabaseUnavailable
from common.policy import Policy
from share_service.shares import queries

CACHE_SECONDS = 3.0


class PolicySource:
    """Reads the policy through a cache of a few seconds; while the database is down, the last one known holds."""

    def __init__(self, database: Database, defaults: Policy) -> None:
        self._database, self._defaults = database, defaults
        self._policy: Policy | None = None
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def current(self) -> Policy:
        """The policy. Raises `DatabaseUnavailable` when it was never read."""
        if self._policy and time.monotonic() < self._read_at + CACHE_SECONDS:
            return self._policy
        async with self._lock:
            if not self._policy or time.monotonic() >= self._read_at + CACHE_SECONDS:
                self._policy = await self._read()
                self._read_at = time.monotonic()
            return self._policy

    async def _read(self) -> Policy:
        try:
            async with self._database.connection() as connection:
                changes = await queries.policy_changes(connection)
        except DatabaseUnavailable:
            if not self._policy:
                raise
            logging.get(__name__).warning("the policy could not be read, the last one holds")
            return self._policy
        return Policy.model_validate(self._defaults.model_dump() | changes)
