"""A small web server whose files are fetched, and which webhooks call.

Some answers break off in the middle, some come slowly, and some calls are refused, or heard without an answer.
"""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiohttp import web

from tests.chaos.ledger import Content

SLOW_BLOCK = 65_536


class Source:
    """Makes files known by an address; each file's content follows from its number."""

    def __init__(self) -> None:
        self.url = ""
        self.told: list[tuple[str, dict[str, Any]]] = []
        """The events that webhooks have told, each with its id."""
        self._asked: dict[str, int] = {}
        self._chance = random.Random(0)

    def file(self, number: int, size: int, manner: str = "whole") -> tuple[str, Content]:
        """The address of a file, and what it holds. `manner`: `whole`, `breaks` (once, in the middle) or `slow`."""
        name = f"{number}.bin"
        return f"{self.url}/{manner}/{size}/{name}", Content.of(name, _bytes(number, size))

    def missing(self) -> str:
        return f"{self.url}/missing"

    async def hear(self, request: web.Request) -> web.Response:
        event, fate = await request.json(), self._chance.random()
        if fate < 0.02:
            return web.Response(status=500)
        self.told.append((request.headers["Webhook-Id"], event))
        if fate < 0.04 and request.transport:
            request.transport.close()
        return web.Response(status=204)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        manner, size = request.match_info["manner"], int(request.match_info["size"])
        data = _bytes(int(request.match_info["name"].removesuffix(".bin")), size)
        asked = self._asked[request.path] = self._asked.get(request.path, 0) + 1
        begin = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        answer = web.StreamResponse(status=206 if begin else 200)
        answer.content_length = size - begin
        answer.headers["ETag"] = '"1"'
        if begin:
            answer.headers["Content-Range"] = f"bytes {begin}-{size - 1}/{size}"
        breaks = manner == "breaks" and asked == 1
        end = begin + (size - begin) // 2 if breaks else size
        # The fetching process may be killed at any moment.
        with suppress(ConnectionError):
            await answer.prepare(request)
            for at in range(begin, end, SLOW_BLOCK):
                await answer.write(data[at : min(at + SLOW_BLOCK, end)])
                await asyncio.sleep(0.1 if manner == "slow" else 0)
        if breaks and request.transport:
            request.transport.close()
        return answer


def _bytes(number: int, size: int) -> bytes:
    return random.Random(number).randbytes(size)


@asynccontextmanager
async def running_source() -> AsyncGenerator[Source]:
    source = Source()
    application = web.Application()
    application.router.add_post("/hook", source.hear)
    application.router.add_get("/{manner}/{size}/{name}", source.respond)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    source.url = f"http://127.0.0.1:{port}"
    try:
        yield source
    finally:
        await runner.cleanup()
