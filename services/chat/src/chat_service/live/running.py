"""What a process that has listeners does beside them, for as long as it lives."""

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

from chat_service.live.hub import Hub, IsValid, ReadRoom
from chat_service.live.tickets import Tickets
from chat_service.streams import Presence, Reader, Streams
from common import logging
from common.cancelling import cancel
from common.errors import Unavailable

ROOMS_SECONDS = 5
PRESENCE_SECONDS = 20
CREDENTIALS_SECONDS = 20


class Live:
    """Events of rooms as they happen: the hub, its upkeep, and the tickets by which sockets sign in.

    async with live.running(): ...
    """

    def __init__(self, valkey_url: str, streams: Streams, read_room: ReadRoom, is_valid: IsValid) -> None:
        self._reader = Reader(valkey_url)
        self._is_valid = is_valid
        self._log = logging.get(__name__)
        self.hub = Hub(streams, Presence(streams.redis), self._reader, read_room)
        self.tickets = Tickets(streams.redis)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Let it run; connections end as soon as the process is told to."""
        tasks = [
            asyncio.create_task(self.hub.run()),
            asyncio.create_task(self._every(ROOMS_SECONDS, self.hub.check_rooms)),
            asyncio.create_task(self._every(PRESENCE_SECONDS, self.hub.renew_presence)),
            asyncio.create_task(self._every(CREDENTIALS_SECONDS, self._check_credentials)),
        ]
        try:
            with _on_termination(self.hub.stop):
                yield
        finally:
            self.hub.stop()
            await cancel(*tasks)
            await self._reader.close()

    async def _check_credentials(self) -> None:
        await self.hub.check_credentials(self._is_valid)

    async def _every(self, seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await do()
            except Unavailable:
                self._log.warning("the upkeep of connections waits for what does not answer")
            except Exception:  # noqa: BLE001  (it is logged, with its stack)
                self._log.exception("the upkeep of connections failed")


@contextmanager
def _on_termination(stop: Callable[[], None]) -> Generator[None]:
    """Call `stop` when the process is asked to end, before the server's own handler is.

    The server waits for all requests to end before it tells the application anything; a stream of events has no end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in numbers}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    chained = [number for number in numbers if callable(before[number])]
    for number in chained:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in chained:
            signal.signal(number, before[number])
