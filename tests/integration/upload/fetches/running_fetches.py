"""Fetches run as a worker runs them, with a real database and store, and servers that a test controls fully."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from common.db import Database
from common.db.rows import fetch_all
from common.identity import Identity, Role
from common.ids import new_id
from common.outbound.client import Outbound
from common.peers import Peer, PeerUnavailable
from common.store import ObjectStore
from common.store.limits import MIN_PART_SIZE
from common.store.s3 import S3Store
from tests.integration.running_remote import Remote, Request, Respond, remote
from tests.integration.upload.contexts import Requests, new_context
from tests.integration.upload.running_upload import ShareStandIn
from tests.stores import key_at
from upload_service.content import cleaning, expiring, files, owning
from upload_service.content.model import File
from upload_service.content.verification import verify_upload
from upload_service.context import Context
from upload_service.fetches import jobs, queries
from upload_service.fetches import running as fetching
from upload_service.fetches.jobs import NewFetch
from upload_service.fetches.model import OPEN, Fetch, FetchState, ShareTerms
from upload_service.shares import Shares

PART_SIZE = MIN_PART_SIZE
"""The shortest part of an object that the store takes."""
STRONG = 'ETag: "1"\n'
MAX_SIZE = 20 * PART_SIZE
PATIENCE_SECONDS = 20
YEAR_OLD = "Wed, 01 Jan 2025 00:00:00 GMT"
NOW = "Thu, 01 Jan 2026 00:00:00 GMT"


@dataclass
class Worked(Requests):
    """A queue that remembers fetches, and has sessions verified at once, in a context of its own."""

    verifier: Context | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def verify(self, session_id: UUID) -> None:
        await super().verify(session_id)
        if self.verifier:
            self.tasks.add(asyncio.create_task(verify_upload(self.verifier, session_id)))


@dataclass
class SharePeer:
    """Calls the share service's stand-in directly, without a server."""

    stand_in: ShareStandIn
    before: Callable[[], Any] | None = None
    """Called while a share is made."""

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        if self.stand_in.is_down:
            raise PeerUnavailable
        answer = self.stand_in.answer(path.removeprefix("/internal/"), body)
        if path == "/internal/shares" and self.before:
            await self.before()
        return answer


@dataclass
class Bench:
    """A worker of fetches, and the results of its work."""

    context: Context
    queue: Worked
    share: ShareStandIn
    peer: SharePeer
    account: Identity = field(default_factory=lambda: somebody())

    async def ask(self, url: str, *, account: Identity | None = None, **asked: Any) -> UUID:
        """A new fetch of an account."""
        context = replace(self.context, fetch_lifetime=asked.pop("lifetime", timedelta(hours=1)))
        values: dict[str, Any] = {"terms": ShareTerms(), "max_size": MAX_SIZE} | asked
        new = NewFetch(url, **values)
        return (await jobs.request_fetch(context, account or self.account, new)).id

    async def run(self, fetch_id: UUID) -> Fetch:
        """Let a worker run a fetch, again when another attempt is due; returns the fetch as it is then."""
        while True:
            fetch = await self.attempt(fetch_id)
            if fetch.state not in OPEN or not await self.is_waiting(fetch_id):
                return fetch
            await self.until(lambda: self.is_due(fetch_id))

    async def attempt(self, fetch_id: UUID) -> Fetch:
        """Let a worker run a fetch once."""
        await fetching.run_fetch(self.context, fetch_id)
        return await self.look(fetch_id)

    async def is_waiting(self, fetch_id: UUID) -> bool:
        """Whether a fetch waits for another attempt."""
        return bool(
            await self.ask_rows("select 1 from fetch_job where id = %(id)s and retry_at is not null", id=fetch_id)
        )

    async def is_due(self, fetch_id: UUID) -> bool:
        async with self.context.db.connection() as connection:
            return fetch_id in await queries.waiting_fetches(connection, 100)

    async def fetch(self, url: str, **asked: Any) -> Fetch:
        return await self.run(await self.ask(url, **asked))

    async def look(self, fetch_id: UUID) -> Fetch:
        async with self.context.db.connection() as connection:
            (found,) = await fetch_all(
                connection, lambda **row: row, "select * from fetch_job where id = %(id)s", {"id": fetch_id}
            )
        names = Fetch.__dataclass_fields__
        return Fetch(**{name: value for name, value in found.items() if name in names})

    async def ask_rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        async with self.context.db.connection() as connection:
            cursor = await connection.execute(statement.encode(), values)
            return await cursor.fetchall() if cursor.description else []

    async def content(self, fetch: Fetch) -> bytes:
        """The content that the file of a finished fetch serves."""
        assert fetch.state is FetchState.DONE, (fetch.error, fetch.detail)
        assert fetch.file_id is not None
        download = await files.open_download(self.context, fetch.file_id, "GET")
        return b"".join([block async for block in self.context.store.read(key_at(download.stored_at.path))])

    async def files(self) -> list[File]:
        """The account's files."""
        found, _ = await owning.list_files(self.context, self.account, self.account.account_id, None, 100)
        return found

    async def sweep(self) -> None:
        """Run all sweeps of the worker."""
        await jobs.sweep_fetches(self.context)
        await expiring.clear_ended(self.context)
        await cleaning.abort_stale_sessions(self.context)
        await cleaning.collect_garbage(self.context, timedelta(0))

    async def left(self) -> list[str]:
        """Everything that uploads have left: rows of importance, objects, unfinished objects."""
        rows = await self.ask_rows(
            """
            select 'session ' || state from upload_session where state in ('open', 'assembling', 'verifying')
            union all select 'uncleaned ' || state from upload_session
                where state not in ('open', 'assembling', 'verifying') and cleaned_at is null
            union all select 'file ' || id from file
            union all select 'blob ' || id from blob
            union all select 'fetch with a session ' || id from fetch_job where session_id is not null
            """
        )
        objects, unfinished = await asyncio.to_thread(_stored, self.context.store)
        return [str(row[0]) for row in rows] + objects + unfinished

    async def until(self, is_so: Callable[[], Any]) -> None:
        """Wait until a condition holds."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                found = is_so()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.01)


def _stored(store: ObjectStore) -> tuple[list[str], list[str]]:
    assert isinstance(store, S3Store), "this looks behind a store of S3"
    sdk, bucket = store._sdk, store._bucket
    objects = [f"object {found.object_name}" for found in sdk.list_objects(bucket, recursive=True)]
    return objects, [f"unfinished {upload.upload_id}" for upload in sdk._list_multipart_uploads(bucket).uploads]


def somebody(role: Role = Role.USER) -> Identity:
    """A new account."""
    return Identity(new_id(), f"somebody {secrets.token_hex(4)}", role, new_id(), None)


@asynccontextmanager
async def bench_on(
    database_url: str, store: ObjectStore, outbound: Outbound, *, at_once: int = 10, at_once_each: int = 5
) -> AsyncGenerator[Bench]:
    """A worker. A second one on the same database and store is another worker."""
    db = Database(database_url, pool_size=6)
    await db.open()
    queue, share = Worked(), ShareStandIn()
    peer = SharePeer(share)
    shares = Shares(cast("Peer", peer))
    context = new_context(
        db,
        store,
        queue=queue,
        shares=shares,
        outbound=outbound,
        fetches_open=100,
        fetches_at_once=at_once,
        fetches_at_once_each=at_once_each,
    )
    queue.verifier = new_context(db, store)
    try:
        yield Bench(context, queue, share, peer)
    finally:
        await asyncio.gather(*queue.tasks)
        await db.close()


CONSUMED_SECONDS = 0.3
"""A client has stored the last bytes that it was sent after this time."""


@dataclass
class Content:
    """A server with one content. It knows ranges, and can be made to misbehave."""

    data: bytes
    validators: str = STRONG
    """The header lines with the validators of the content."""
    cuts: list[int] = field(default_factory=list[int])
    """The number of bytes of the body after which each of the next connections breaks off."""
    knows_ranges: bool = True
    says_length: bool = True
    status: str = "200 OK"
    headers: str = ""
    misbehaves: Respond | None = None
    """Answers requests for a range instead."""

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        start = self._start(request)
        if "range" in request.headers and self.misbehaves:
            await self.misbehaves(request, writer)
            return
        head, body = self.status, self.data[start:]
        headers = self.validators + self.headers
        if self.says_length:
            headers += f"Content-Length: {len(body)}\n"
        if start:
            head = "206 Partial Content"
            headers += f"Content-Range: bytes {start}-{len(self.data) - 1}/{len(self.data)}\n"
        writer.write(f"HTTP/1.1 {head}\n{headers}Connection: close\n\n".replace("\n", "\r\n").encode())
        if not self.cuts:
            writer.write(body)
            return
        writer.write(body[: self.cuts.pop(0)])
        await writer.drain()
        # When the connection ends, a client drops the bytes that it has read ahead of its caller.
        await asyncio.sleep(CONSUMED_SECONDS)

    def _start(self, request: Request) -> int:
        asked, condition = request.headers.get("range"), request.headers.get("if-range", "")
        if not asked or not self.knows_ranges or (condition and f": {condition}\n" not in self.validators):
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))


@asynccontextmanager
async def serving(data: bytes, **changes: Any) -> AsyncGenerator[tuple[Remote, Content]]:
    """A server of this content."""
    content = Content(data, **changes)
    async with remote(content) as server:
        yield server, content


def ranges(server: Remote) -> list[str | None]:
    """The range that each request asked for."""
    return [request.headers.get("range") for request in server.requests]
