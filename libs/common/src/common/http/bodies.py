"""Request bodies, read as streams, or as a whole if they are small.

Nothing here writes to disk or holds a whole file in memory. A body that stalls for `STALL_SECONDS` is refused.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from fastapi import Request
from starlette.requests import ClientDisconnect

from common.errors import DomainError, InvalidInput, TooLarge, TooSlow

STALL_SECONDS = 30
FIELD_LIMIT = 1024 * 1024
"""The most bytes of a small body, or of one form field, unless the reader sets another limit."""


class RawBody:
    """A request body without any form around it: a `Source` for the writer of streams."""

    def __init__(self, request: Request, limit: int | None = None) -> None:
        """`limit`: the most bytes. A longer body raises `TooLarge`; if it is announced as longer, before it is read."""
        self.length = content_length(request)
        self._stream = request.stream().__aiter__()
        self._limit = limit
        self._waiting: asyncio.Timeout | None = None
        self.is_ended = False
        """Whether `end` was called before all of it had come."""
        self.received = 0

    def certain(self) -> int:
        """The number of bytes still to come if the client announced a length, else 0."""
        return 0 if self.length is None else self.length - self.received

    async def __aiter__(self) -> AsyncIterator[bytes]:
        # A client that sent `Expect: 100-continue` is told to go on by the first read.
        if self._limit is not None and (self.length or 0) > self._limit:
            raise self._too_large()
        while True:
            if self.is_ended:
                raise TooSlow
            block = await self._next()
            if not block:
                return
            self.received += len(block)
            if self._limit is not None and self.received > self._limit:
                raise self._too_large()
            yield block

    async def _next(self) -> bytes:
        """The next block; empty at the end."""
        try:
            if self._has_come:
                # Only the end follows, which needs no waiting.
                return await anext(self._stream, b"")
            async with asyncio.timeout(STALL_SECONDS) as self._waiting:
                return await anext(self._stream, b"")
        except TimeoutError:
            raise TooSlow from None
        except ClientDisconnect:
            raise InvalidInput("the connection was closed in the middle of the body") from None
        finally:
            self._waiting = None

    def end(self) -> None:
        """Wait for no more of the body: its reader gets `TooSlow` where it is, unless all of it has come."""
        if self._has_come:
            return
        if self._waiting and not self.is_ended and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())
        self.is_ended = True

    @property
    def _has_come(self) -> bool:
        """Whether as many bytes as were announced have come."""
        return self.length is not None and self.received >= self.length

    async def drain(self) -> None:
        """Read and discard the rest of the body, until it ends, stalls or exceeds the limit."""
        with suppress(DomainError):
            async for _ in self:
                pass

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is longer than {self._limit} bytes")


def content_length(request: Request) -> int | None:
    """The announced length of the body in bytes, or None if it is sent in chunks. The server refuses invalid values."""
    text = request.headers.get("content-length")
    return int(text) if text is not None and text.isdecimal() else None


async def read_body(request: Request, limit: int = FIELD_LIMIT) -> bytes:
    """The whole of a small body. Raises `TooLarge` beyond `limit` bytes."""
    return b"".join([block async for block in RawBody(request, limit)])


def media_type(request: Request) -> str:
    """The media type of the body in lower case, without parameters; empty when none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
