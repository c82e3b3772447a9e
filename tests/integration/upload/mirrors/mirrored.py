"""Mirrored files without a worker: requests are remembered, and carried out when a test says so."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from common.db import Database
from common.store import ObjectStore
from tests.conftest import ROOT
from tests.integration.upload.contexts import Requests, new_context
from tests.integration.upload.mirrors.mirror_servers import MirrorServer
from upload_service.content import files, sessions, streams
from upload_service.content.model import File
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.mirrors import administration, replicating, wishes
from upload_service.mirrors.administration import MirrorSpec
from upload_service.mirrors.drivers import Driver, Place, Rules, UrlReader
from upload_service.mirrors.model import FileReplica, Mirror, path_of
from upload_service.mirrors.opened_drivers import MirrorDrivers
from upload_service.mirrors.sealing import Sealer

MIGRATIONS = ROOT / "services/upload/migrations"


BLOCK = 65536


class Source:
    """A stream of known content."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def certain(self) -> int:
        return len(self._content) - self._at

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while block := self._content[self._at : self._at + BLOCK]:
            self._at += len(block)
            yield block


Step = Callable[[str], Awaitable[None]]


async def nothing(_: str) -> None:
    return


@dataclass
class Watched:
    """A driver that calls a test's functions at each step, and counts its requests."""

    driver: Driver
    before_write: Step = nothing
    each_block: Step = nothing
    """After each block that was taken."""
    after_write: Step = nothing
    before_read: Step = nothing
    before_delete: Step = nothing
    writes: int = 0
    reads: int = 0

    @property
    def can_delete(self) -> bool:
        return self.driver.can_delete

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        self.writes += 1
        await self.before_write(path)

        async def watched() -> AsyncIterator[bytes]:
            async for block in blocks:
                yield block
                await self.each_block(path)

        url = await self.driver.write(path, watched(), size)
        await self.after_write(path)
        return url

    async def read(self, place: Place, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        self.reads += 1
        await self.before_read(place.path)
        async for block in self.driver.read(place, start, length):
            yield block

    async def delete(self, place: Place) -> None:
        await self.before_delete(place.path)
        await self.driver.delete(place)

    async def remove_left(self, before: datetime) -> int:
        return await self.driver.remove_left(before)

    async def check(self) -> None:
        await self.driver.check()

    async def close(self) -> None:
        await self.driver.close()


class WatchedDrivers(MirrorDrivers):
    """Drivers that can be watched, each by its mirror."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(Sealer(secrets.token_hex(32)), rules)
        self.watched: dict[int, Watched] = {}

    @asynccontextmanager
    async def of(self, mirror: Mirror) -> AsyncGenerator[Driver]:
        async with super().of(mirror) as driver:
            watched = self.watched.get(mirror.id)
            if watched is None:
                yield driver
            else:
                watched.driver = driver
                yield watched

    def watch(self, mirror: Mirror, **steps: Step) -> Watched:
        self.watched[mirror.id] = Watched(None, **steps)  # pyright: ignore[reportArgumentType]
        return self.watched[mirror.id]


@dataclass
class Mirrored:
    """A context, and the ways in which tests use it."""

    context: Context
    queue: Requests
    drivers: WatchedDrivers
    owner: UUID = field(default_factory=uuid4)

    async def mirror(self, server: MirrorServer, **more: Any) -> Mirror:
        spec = MirrorSpec(name=secrets.token_hex(8), kind=server.kind, options=server.options, **more)
        return await administration.define_mirror(self.context, spec)

    async def upload(self, content: bytes, *wanted: Mirror, owner: UUID | None = None) -> File:
        """A file of this content that is wanted on these mirrors."""
        new = NewUpload("name", owner=owner or self.owner, mirrors=[mirror.id for mirror in wanted])
        session = await sessions.start_upload(self.context, new)
        await streams.put_stream(self.context, session, Source(content), max_size=2**30)
        finished = await streams.finish_stream(self.context, session)
        assert finished.file_id is not None
        return await files.find_file(self.context, finished.file_id)

    async def advance(self, replica_id: UUID) -> None:
        await replicating.advance_replica(self.context, replica_id)

    async def work(self) -> None:
        """Carry out the requests, one after the other, and those that follow from them."""
        while self.queue.replicas:
            await self.advance(self.queue.replicas.pop(0))

    async def later(self) -> None:
        """End every wait: of replicas that failed, and of breakers."""
        await self.ask("update mirror set open_until = now() where open_until is not null")
        await self.ask("update replica set due_at = now()")

    async def seen(self, file: File) -> dict[int, FileReplica]:
        """The state of the file, by mirror."""
        return {found.mirror_id: found for found in await wishes.replicas_of_file(self.context, file.id)}

    async def state(self, file: File, mirror: Mirror) -> tuple[str, str | None]:
        """The state of a file's replica, and its error."""
        found = (await self.seen(file))[mirror.id]
        return found.state.value, found.error

    async def replica_id(self, file: File, mirror: Mirror) -> UUID:
        return (await self.row("id", file, mirror))[0]

    async def path(self, file: File, mirror: Mirror) -> str:
        return path_of(await self.replica_id(file, mirror))

    async def row(self, columns: str, file: File, mirror: Mirror) -> tuple[Any, ...]:
        return (
            await self.ask(
                f"select {columns} from replica where blob_id = %s and mirror_id = %s", file.blob_id, mirror.id
            )
        )[0]

    async def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        async with self.context.db.connection() as connection:
            cursor = await connection.execute(statement.encode(), values)
            return await cursor.fetchall() if cursor.description else []

    async def mirror_now(self, mirror: Mirror) -> Mirror:
        return (await administration.find_mirror(self.context, mirror.id)).mirror


@asynccontextmanager
async def mirrored(
    database: str, store: ObjectStore, folder: Path, *, stall_seconds: float = 5, urls: UrlReader | None = None
) -> AsyncGenerator[Mirrored]:
    """A context on a database that is emptied first. Mirrors may be folders below `folder`."""
    queue, drivers = Requests(), WatchedDrivers(Rules((folder,), stall_seconds, urls))
    db = Database(database, pool_size=10)
    await db.open()
    try:
        async with db.connection() as connection:
            await connection.execute(
                "truncate mirror, mirror_choice, blob, file, upload_session restart identity cascade"
            )
        yield Mirrored(new_context(db, store, queue=queue, drivers=drivers), queue, drivers)
    finally:
        await drivers.close()
        await db.close()
