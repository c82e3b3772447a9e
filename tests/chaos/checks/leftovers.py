"""Nothing is left over: after the sweeps every object has its row, and once everything has ended nothing is there.

What would come by itself in minutes or days is hurried: the sweeps are called at once, and shares and uploads end now.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import redis

from common.queue.app import create_celery
from common.queue.schedule import QUEUES
from deploy.local.processes import folder_mark
from deploy.local.stack import RunningStack
from tests.chaos.checks.contents import each
from tests.chaos.client import Client, Refused, Stuck
from tests.chaos.ledger import Ledger, Violation
from tests.contract.traces import Traces
from tests.integration.embedded.looking import descendants
from tests.integration.upload.mirrors.mirror_servers import MirrorServer

PATIENCE = 120.0
PAUSE = 1.0
SERVICES = ("auth", "upload", "share", "chat")
SWEEPS = (
    *("upload.sweep_unverified", "upload.abort_stale_sessions", "upload.expire_files"),
    *("upload.release_unclaimed", "upload.collect_garbage", "share.expire_shares", "chat.purge_rooms"),
)
"""The sweeps that would otherwise come once a minute."""

UNFINISHED = """
    select 'upload ' || state || ' ' || layout from upload_session where state in ('assembling', 'verifying')
    union all select 'upload not cleaned up after: ' || state || ' ' || layout from upload_session
        where cleaned_at is null and state in ('ready', 'corrupt', 'aborted', 'expired')
    union all select 'part being written' from part join upload_session on id = session_id
        where stored_at is null and lease_until > now()
    union all select 'file ' || state || ' without an upload' from file where state = 'pending'
    union all select 'file without a share' from file where claimed_at is null and state <> 'corrupt'
    union all select 'blob with ' || refs || ' references' from blob
        where refs <> (select count(*) from file where blob_id = blob.id)
    union all select 'blob ' || state from blob where state <> 'ready' or refs = 0
    union all select 'fetch ' || state from fetch_job where state in ('queued', 'fetching')
    union all select 'replica ' || state from replica where state not in ('verified', 'removed')
"""
KNOWN = """
    select object_key from blob
    union all select object_key from upload_session where state = 'open'
    union all select 'staged/' || replace(session_id::text, '-', '') || '/' || index
        from part join upload_session on id = session_id where state = 'open' and layout in ('staged', 'appended')
"""
REMAINS = """
    select 'upload ' || state || ' ' || layout from upload_session
        where state = 'open' or (cleaned_at is null and state in ('ready', 'corrupt', 'aborted', 'expired'))
    union all select 'file ' || state from file where state <> 'corrupt'
    union all select 'blob ' || state || ', ' || refs || ' references' from blob
    union all select 'replica ' || state from replica where state <> 'removed'
    union all select 'wish of a mirror' from file_mirror
"""
AGE = b"update file set created_at = created_at - interval '1 hour' where claimed_at is null"
END = (
    ("share", b"update share set expires_at = now() where state in ('active', 'spent')"),
    ("share", b"update lease set expires_at = now()"),
    ("upload", b"update upload_session set expires_at = now() where state = 'open'"),
)
UNRELEASED = "select 'share ' || state || ', ' || kind from share where state <> 'released'"


class Leftovers:
    """Looks for what is left of a load that has ended."""

    def __init__(self, stack: RunningStack, ledger: Ledger, servers: list[MirrorServer]) -> None:
        self._stack, self._ledger, self._servers = stack, ledger, servers
        self._traces = Traces(stack)
        self._queue = create_celery("chaos", self._traces.broker_url)

    def close(self) -> None:
        self._traces.close()

    async def check_settled(self) -> None:
        """Everything that is there belongs to something that is kept."""
        await asyncio.to_thread(self._traces.database("upload").execute, AGE)
        await asyncio.to_thread(self._traces.age_unfinished)
        await self._until_none("after the load", self._unsettled)

    async def check_ended(self) -> None:
        """When every share, upload and room has ended, nothing is left of their content."""
        await each(self._ledger.rooms, lambda room: self._close_room(*room))
        await asyncio.to_thread(self._end)
        await self._until_none("after the end of everything", self._remaining)

    async def check_processes(self) -> None:
        """No process of the stack lives outside its supervisor's family."""
        await self._until_none("beside the stack", self._strays)

    def _unsettled(self) -> list[str]:
        found = [row[0] for row in self._traces.ask("upload", UNFINISHED)]
        known = {_plain(row[0]) for row in self._traces.ask("upload", KNOWN)}
        everything = self._traces.all()
        found += [name for name in everything if name.startswith("unfinished ")]
        objects = {_plain(name.removeprefix("object ")) for name in everything if name.startswith("object ")}
        found += [f"object {name} of nothing" for name in objects - known]
        for service in SERVICES:
            found += [f"{service}: {name} ({number})" for name, number in self._backlog(service).items() if number]
        return found

    def _backlog(self, service: str) -> dict[str, int]:
        return httpx.get(f"http://127.0.0.1:{self._stack.ports[service]}/internal/backlog", timeout=20).json()

    async def _close_room(self, owner: Client, room_id: int) -> None:
        try:
            await owner.ask("DELETE", f"/v1/rooms/{room_id}", 204, 404)
        except (Refused, Stuck) as error:
            self._ledger.note(Violation.UNEXPECTED, str(error))

    def _end(self) -> None:
        for service, statement in END:
            self._traces.database(service).execute(statement)

    def _remaining(self) -> list[str]:
        found = [row[0] for row in self._traces.ask("upload", REMAINS)]
        found += [row[0] for row in self._traces.ask("share", UNRELEASED)]
        found += [name for name in self._traces.all() if name.startswith(("object ", "unfinished "))]
        for server in self._servers:
            found += [f"at {server.kind}: {name}" for name in server.stored()]
        with self._traces.cache() as cache:
            found += [f"Valkey: {key}" for key in cache.scan_iter("room:*")]
        return found

    def _strays(self) -> list[str]:
        family = descendants([self._stack.state().supervisor])
        return [name for pid, name in processes_of(self._stack.folder) if pid not in family]

    async def _until_none(self, when: str, look: Callable[[], list[str]]) -> None:
        """Hurry the sweeps and look until nothing is found; what is found to the end is noted."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                await asyncio.to_thread(self._hurry)
                found = await asyncio.to_thread(look)
            except (psycopg.Error, redis.RedisError, httpx.HTTPError, OSError) as error:
                found = [f"cannot be looked at: {error!r}"]
            if not found:
                return
            if time.monotonic() > until:
                break
            await asyncio.sleep(PAUSE)
        for name in found:
            self._ledger.note(Violation.LEFT_OVER, f"{when}: {name}")

    def _hurry(self) -> None:
        for name in SWEEPS:
            service = name.partition(".")[0]
            self._queue.send_task(name, queue=QUEUES.get(service, service))


def processes_of(folder: Path) -> list[tuple[int, str]]:
    """The processes that were started for this folder, whoever is their parent."""
    mark, found = folder_mark(folder).encode(), list[tuple[int, str]]()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append((int(entry.name), command))
        except OSError:
            continue
    return found


def _plain(key: str) -> str:
    """An object's key, however a store writes it."""
    return key.replace("/", ".")
