"""The right to write a part: one writer at a time, fenced by a row in PostgreSQL.

Each writer reserves its part first, and only the one that holds the reservation may record the part. A reservation
lasts for `LEASE` and is renewed while bytes arrive, always before the last block leaves for the store: a writer that
has lost its reservation breaks off, and the store keeps nothing of a request that broke off. No database connection is
held while bytes move.
"""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from common.db import Connection
from common.errors import Unavailable
from common.ids import new_id
from common.store import PartBusy
from upload_service.content.context import Context
from upload_service.content.model import LEASE, Part, UploadSession
from upload_service.content.queries import parts, sessions
from upload_service.content.sessions import UNBEGUN, SessionNotFound

RENEW_AFTER = LEASE.total_seconds() / 3
# A second writer of the same part waits this long for the first one to finish or to be given up.
PATIENCE = timedelta(seconds=25)
LOOK_SECONDS = 0.2


def patience_ends(patience: timedelta | None = None) -> float:
    """The moment of `time.monotonic()` until which a writer that comes now waits for another one.

    `patience`: None is the usual one.
    """
    return time.monotonic() + (PATIENCE if patience is None else patience).total_seconds()


class Reservation:
    """One writer's right to write one part of a session: the `Lease` that a store asks for."""

    def __init__(
        self, context: Context, session: UploadSession, index: int, *, writer: UUID | None = None, since: float = 0.0
    ) -> None:
        """`writer`: the one for which the part is reserved already, `since` a moment of `time.monotonic()`."""
        self._context, self._session_id, self._index = context, session.id, index
        # Until something is recorded, an announced upload lasts for a short while only.
        self._is_brief = session.expires_at - session.created_at <= UNBEGUN < context.session_lifetime
        self._writer: UUID = writer or new_id()
        self._renewed = since

    async def take(self, until: float | None = None) -> Part | None:
        """Reserve the part, or return it when it is stored. Waits for another writer.

        `until`: a moment of `time.monotonic()`; None: the usual patience. Raises `PartBusy`, and `SessionNotFound` when
        the session has ended.
        """
        until = patience_ends() if until is None else until
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

    async def hold(self, *, last: bool = False) -> None:
        """Renew the reservation if that was done a while ago. Raises as `renew`."""
        if time.monotonic() - self._renewed >= (1 if last else RENEW_AFTER):
            # At the end of a body of which nothing came, only an announcement is there still.
            await self.renew(extends=not last)

    def check(self) -> None:
        """Raise `PartBusy` unless the reservation holds at this moment."""
        if time.monotonic() - self._renewed >= LEASE.total_seconds():
            raise PartBusy

    async def renew(self, *, extends: bool = True) -> None:
        """Renew the reservation. Raises `PartBusy` when it was lost, `SessionNotFound` when the session has ended.

        `extends`: bytes are arriving, so an upload that was only announced before lasts as long as others from now on.
        """
        asked = time.monotonic()
        async with self._context.db.connection() as connection:
            if not await parts.extend_part(connection, self._session_id, self._index, self._writer, LEASE):
                raise await self._lost(connection)
            if self._is_brief and extends:
                await sessions.extend_sessions(connection, [self._session_id], self._context.session_lifetime)
                self._is_brief = False
        self._renewed = asked

    async def record(self, size: int, sha256: bytes, etag: str = "") -> None:
        """Record the part as stored. Raises `PartBusy` when another writer has it, and `SessionNotFound`."""
        async with self._context.db.connection() as connection:
            await self.record_within(connection, size, sha256, etag)

    async def record_within(self, connection: Connection, size: int, sha256: bytes, etag: str = "") -> None:
        """`record` in a transaction, which then holds the session's row."""
        part = Part(self._index, size, sha256, etag)
        lifetime = self._context.session_lifetime
        if not await parts.record_part(connection, self._session_id, part, self._writer, lifetime):
            raise await self._lost(connection)

    async def record_appended(self, at: int, size: int, sha256: bytes) -> list[int]:
        """Record a part that begins at offset `at`, truncating earlier ones there.

        Returns the indexes of the parts that were truncated to nothing. Raises `PartBusy` when another writer has it,
        and `SessionNotFound` when the session has ended.
        """
        async with self._context.db.transaction() as connection:
            await self.record_within(connection, size, sha256)
            return await parts.truncate_parts(connection, self._session_id, self._index, at)

    async def name_multipart(self, multipart_id: str | None) -> None:
        """Record the multipart upload by which the part's own object is written. Raises `PartBusy`."""
        async with self._context.db.connection() as connection:
            named = await parts.set_part_multipart(
                connection, self._session_id, self._index, self._writer, multipart_id
            )
        if not named:
            raise PartBusy

    async def _lost(self, connection: Connection) -> PartBusy | SessionNotFound:
        """The reason why the writer may not write any more."""
        return PartBusy() if await sessions.is_open(connection, self._session_id) else SessionNotFound()

    async def give_up(self) -> None:
        """Free the part for the next writer at once; without a database the reservation runs out by itself."""
        with suppress(Unavailable):
            async with self._context.db.connection() as connection:
                await parts.drop_part(connection, self._session_id, self._index, self._writer)
