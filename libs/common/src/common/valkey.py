"""Connections to Valkey: the options of the client library, and a pipelined connection of our own for short commands.

The library's pool gives each command its own connection until the answer has come. `Pipe` sends the commands of one
turn of the event loop together over one connection, without waiting for earlier answers, and matches answers to
commands by their order. This takes a third of the processor time. A command that blocks holds up all later ones of its
pipe, so it needs a pipe of its own.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import hiredis
from redis.asyncio.connection import SSLConnection, parse_url
from redis.exceptions import ConnectionError as ValkeyConnectionError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as ValkeyTimeoutError
from redis.maint_notifications import MaintNotificationsConfig

from common import tracing

TIMEOUT_SECONDS = 3.0
_TOLD: tracing.Attributes = {"db.system.name": "valkey"}
_LIMIT = 10_000

Part = str | bytes | int


def client_options(timeout: float = TIMEOUT_SECONDS) -> dict[str, Any]:
    """The options of every client of the library; `timeout`: the most seconds that an answer may take."""
    return {
        "socket_timeout": timeout,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        # With other options, the library's pool hands out connections that the server has closed, as after a restart.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }


class Script:
    """A Lua script, which the server runs as one step."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        """The name by which a server knows a script that it has run before."""


class Pipe:
    """Sends a process's commands to one server. It never repeats a failed command, which may have been executed."""

    def __init__(self, url: str, timeout: float = TIMEOUT_SECONDS) -> None:
        """`url`: `redis://…` or `rediss://…`. It connects with the first command.

        `timeout`: the most seconds that an answer may take.
        """
        self._address, self._timeout = parse_url(url), timeout
        self._line: _Line | None = None
        self._connecting: asyncio.Task[_Line] | None = None

    async def call(self, *command: Part) -> Any:
        """The answer to a command: bytes, int, list or None. Raises `redis.exceptions.RedisError`."""
        line = self._line
        if line is None or line.is_lost:
            line = await self._connect()
        with tracing.step(str(command[0]), attributes=_TOLD):
            return await line.send(command)

    async def run(self, script: Script, keys: Sequence[str], *values: Part) -> Any:
        """The answer of a script. Raises `redis.exceptions.RedisError`."""
        try:
            return await self.call("EVALSHA", script.sha, len(keys), *keys, *values)
        except ResponseError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise
            # The server does not know the script, so it has not run it.
            return await self.call("EVAL", script.text, len(keys), *keys, *values)

    async def close(self) -> None:
        if self._connecting:
            self._connecting.cancel()
        if self._line:
            self._line.lose(ValkeyConnectionError("closed"))

    async def _connect(self) -> "_Line":
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._open())
            self._connecting.add_done_callback(self._connected)
        return await asyncio.shield(self._connecting)

    def _connected(self, task: "asyncio.Task[_Line]") -> None:
        self._connecting = None
        if not task.cancelled() and task.exception() is None:
            self._line = task.result()

    async def _open(self) -> "_Line":
        address = cast("dict[str, Any]", self._address)
        loop = asyncio.get_running_loop()
        ssl = address.get("connection_class") is SSLConnection or None
        line = None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                host, port = address.get("host", "localhost"), address.get("port", 6379)
                _, line = await loop.create_connection(lambda: _Line(self._timeout), host, port, ssl=ssl)
                if password := address.get("password"):
                    await line.send(("AUTH", address.get("username") or "default", password))
                if database := address.get("db"):
                    await line.send(("SELECT", database))
        except TimeoutError:
            raise ValkeyTimeoutError("no connection in time") from None
        except OSError as error:
            raise ValkeyConnectionError(str(error)) from error
        except asyncio.CancelledError:
            if line:
                line.lose(ValkeyConnectionError("closed"))
            raise
        except RedisError as error:
            if line:
                line.lose(error)
            raise
        return line


class _Line(asyncio.Protocol):
    """A connection and the callers that wait for its answers."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._unsent: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self.is_lost = False

    async def send(self, command: tuple[Part, ...]) -> Any:
        if self.is_lost or len(self._waiting) >= _LIMIT:
            raise ValkeyConnectionError("the connection is lost, or overrun")
        future: asyncio.Future[Any] = self._loop.create_future()
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(hiredis.pack_command(cast("Any", command)))
        self._waiting.append((future, self._loop.time() + self._timeout))
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout, self._look)
        answer = await future
        if isinstance(answer, hiredis.HiredisError):
            raise ResponseError(str(answer))
        return answer

    def lose(self, error: RedisError) -> None:
        """Close the connection, because answers can no longer be matched to commands; all callers get `error`."""
        self.is_lost = True
        if self._watch:
            self._watch.cancel()
        while self._waiting:
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_exception(error)
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lose(ValkeyConnectionError(str(exc or "the server closed the connection")))

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (answer := self._reader.gets()) is not False:
                future, _ = self._waiting.popleft()
                # The caller may have been cancelled, and then needs no answer.
                if not future.done():
                    future.set_result(answer)
        except (hiredis.ProtocolError, IndexError):
            self.lose(ValkeyConnectionError("the server does not speak the protocol"))

    def _flush(self) -> None:
        block, self._unsent = b"".join(self._unsent), []
        if self._transport and not self.is_lost:
            self._transport.write(block)

    def _look(self) -> None:
        """Close the connection if the first caller, on whom the others have to wait, has waited too long."""
        self._watch = None
        if not self._waiting:
            return
        left = self._waiting[0][1] - self._loop.time()
        if left <= 0:
            self.lose(ValkeyTimeoutError("no answer in time"))
        else:
            self._watch = self._loop.call_later(left, self._look)
