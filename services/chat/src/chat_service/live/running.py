"""The tasks that run for as long as the process lives: the hub and its upkeep."""

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager
from types import FrameType

from chat_service.live.counting import ConnectionLimits
from chat_service.live.hub import Hub, Identify, ReadRoom
from chat_service.live.presence import Presence
from chat_service.live.reader import Reader
from chat_service.live.tickets import Tickets
from chat_service.streams import Streams
from common import logging
from common.cancelling import cancel
from common.credentials import changes
from common.errors import Unavailable

SPACE_SECONDS = 1
ROOMS_SECONDS = 5
PRESENCE_SECONDS = 20
CREDENTIALS_SECONDS = 20
LISTEN_AGAIN_SECONDS = 0.5


class Live:
    """The hub, its upkeep, and the tickets by which WebSockets sign in.

    async with live.running(): ...
    """

    def __init__(
        self,
        valkey_url: str,
        streams: Streams,
        read_room: ReadRoom,
        identify: Identify,
        limits: ConnectionLimits | None = None,
    ) -> None:
        """Without `limits`, there may be as many connections as there are."""
        self._valkey_url = valkey_url
        self._reader = Reader(valkey_url)
        self._space = streams.space
        self._log = logging.get(__name__)
        presence = Presence(streams.redis)
        self.hub = Hub(streams, presence, self._reader, read_room, identify, limits or ConnectionLimits())
        self.tickets = Tickets(streams.redis)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Run everything. Connections end as soon as the process is asked to end."""
        tasks = [
            asyncio.create_task(self.hub.run()),
            asyncio.create_task(self._every(SPACE_SECONDS, self._space.look)),
            asyncio.create_task(self._every(ROOMS_SECONDS, self.hub.check_rooms)),
            asyncio.create_task(self._every(PRESENCE_SECONDS, self.hub.renew_presence)),
            asyncio.create_task(self._every(CREDENTIALS_SECONDS, self.hub.check_credentials)),
            asyncio.create_task(self._every(LISTEN_AGAIN_SECONDS, self._follow_credentials)),
        ]
        try:
            with _on_termination(self.hub.stop):
                yield
        finally:
            self.hub.stop()
            await cancel(*tasks)
            await self._reader.close()

    async def _follow_credentials(self) -> None:
        """Check credentials as soon as they change, until Valkey does not answer."""
        async with aclosing(changes(self._valkey_url)) as found:
            async for name in found:
                await (self.hub.check_credentials() if name is None else self.hub.check_credential(name))

    async def _every(self, seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await do()
            except Unavailable:
                self._log.warning("the upkeep of connections waits until Valkey, the database or auth answers")
            except Exception:  # noqa: BLE001  (it is logged, with its stack)
                self._log.exception("the upkeep of connections failed")


@contextmanager
def _on_termination(stop: Callable[[], None]) -> Generator[None]:
    """Call `stop` when the process is asked to end, before the server's own signal handler runs.

    The server ends the application only after all requests have ended, and a stream of events never ends by itself.
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
