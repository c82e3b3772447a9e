"""Fetches that stop halfway, and workers that die there."""

import asyncio
from uuid import UUID

import pytest

from tests.integration.running_remote import Remote, Request
from tests.integration.upload.fetches.running_fetches import STRONG, Bench, Content
from upload_service.fetches import queries


class Halting(Content):
    """A server that almost stops after some bytes of its first answer, until the test lets it continue."""

    def __init__(self, data: bytes, at: int) -> None:
        super().__init__(data)
        self.at, self.goes_on, self.reached = at, asyncio.Event(), asyncio.Event()

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if self.reached.is_set():
            await super().__call__(request, writer)
            return
        writer.write(f"HTTP/1.1 200 OK\n{STRONG}Content-Length: {len(self.data)}\n\n".replace("\n", "\r\n").encode())
        writer.write(self.data[: self.at])
        await writer.drain()
        self.reached.set()
        sent = self.at
        while not self.goes_on.is_set():
            # One byte now and then shows whether the client is still there.
            writer.write(self.data[sent : sent + 1])
            sent += 1
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.write(self.data[sent:])


async def halfway(bench: Bench, server: Remote, content: Halting) -> tuple[UUID, asyncio.Task[object]]:
    """A fetch whose first part is stored, while its worker waits for more of the second one."""
    fetch_id = await bench.ask(server.url())
    running = asyncio.create_task(bench.run(fetch_id), name="worker")

    async def stored() -> bool:
        return (await bench.look(fetch_id)).bytes_done >= content.at

    await bench.until(stored)
    return fetch_id, running


async def dies(running: asyncio.Task[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """End the worker without giving its claims up, as if it had been killed."""

    async def silent(*_: object) -> None: ...

    with monkeypatch.context() as patched:
        patched.setattr(queries, "drop_claim", silent)
        patched.setattr("upload_service.content.queries.parts.drop_part", silent)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def leases_run_out(bench: Bench) -> None:
    await bench.ask_rows("update fetch_job set lease_until = now() - interval '1 second' where lease_until is not null")
    await bench.ask_rows("update part set lease_until = now() - interval '1 second' where stored_at is null")


async def one_file_is_left(bench: Bench) -> None:
    await bench.sweep()
    assert [thing.split()[0] for thing in sorted(await bench.left())] == ["blob", "file", "object"]
    assert len({made["origin"] for made in bench.share.made}) == 1


async def nothing_is_left(bench: Bench) -> None:
    await bench.sweep()
    assert await bench.left() == []
