"""Who may write a part: one writer at a time, fenced by a row in PostgreSQL.

Each writer reserves its part first and is the only one who may record it. A reservation lasts for `LEASE` and is
renewed while bytes arrive, always before the last block leaves for the store: a writer that lost its reservation breaks
off, and the store keeps nothing of a request that broke off. No connection is held while bytes move.
"""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from common.errors import Conflict, Unavailable
from common.ids import new_id
from upload_service.model import Part, UploadSession
from upload_service.operations.context import Context
from upload_service.operations.sessions import SessionNotFound
from upload_service.queries import parts, sessions

LEASE = timedelta(seconds=15)
RENEW_AFTER = LEASE.total_seconds() / 3
# A second writer of the same part waits this long for the first one to finish or to be given up.
PATIENCE = timedelta(seconds=25)
LOOK_SECONDS = 0.2


class PartBusy(Conflict):
    """Another request is writing this part."""

    code = "part_busy"


class Reservation:
    """One writer's right to write one part of a session."""

    def __init__(self, context: Context, session: UploadSession, index: int) -> None:
        self._context, self._session_id, self._index = context, session.id, index
        self._writer: UUID = new_id()
        self._renewed = 0.0

    async def take(self) -> Part | None:
        """Reserve the part, or return it when it is stored. Waits for another writer.

        Raises `PartBusy`, and `SessionNotFound` when the session has ended.
        """
        until = time.monotonic() + PATIENCE.total_seconds()
        while True:
            async with self._context.db.connection() as connection:
                self._renewed = time.monotonic()
                if await parts.reserve_part(connection, self._session_id, self._index, self._writer, LEASE):
                    return None
                if stored := await parts.get_part(connection, self._session_id, self._index):
                    return stored
                if not await sessions.is_open(connection, self._session_id):
                    raise SessionNotFound
            if time.monotonic() > until:
                raise PartBusy
            await asyncio.sleep(LOOK_SECONDS)

    async def hold(self) -> None:
        """Renew the reservation when it is time to. Raises `PartBusy` when it was lost."""
        if time.monotonic() - self._renewed < RENEW_AFTER:
            return
        async with self._context.db.connection() as connection:
            if not await parts.extend_part(connection, self._session_id, self._index, self._writer, LEASE):
                raise PartBusy
        self._renewed = time.monotonic()

    async def record(self, size: int, sha256: bytes, etag: str = "") -> None:
        """Say that the part is stored. Raises `PartBusy` when another writer has it, or the session has ended."""
        part = Part(self._index, size, sha256, etag)
        async with self._context.db.connection() as connection:
            if not await parts.record_part(
                connection, self._session_id, part, self._writer, self._context.session_lifetime
            ):
                raise PartBusy

    async def give_up(self) -> None:
        """Free the part for the next writer at once; without a database the reservation runs out by itself."""
        with suppress(Unavailable):
            async with self._context.db.connection() as connection:
                await parts.drop_part(connection, self._session_id, self._index, self._writer)
