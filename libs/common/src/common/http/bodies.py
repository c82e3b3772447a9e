"""Request bodies: read as streams, or whole where they are small.

Nothing here spools to disk or holds a whole file. A body that stops arriving for `STALL_SECONDS` is given up.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from fastapi import Request
from starlette.requests import ClientDisconnect

from common.errors import DomainError, InvalidInput, TooLarge, TooSlow

STALL_SECONDS = 30
FIELD_LIMIT = 1024 * 1024
"""Bytes of a small body, or of one form field, unless the reader says otherwise."""


class RawBody:
    """A request body as it comes: a `Source` for the in-order writer."""

    def __init__(self, request: Request, limit: int | None = None) -> None:
        """`limit`: more bytes than this raise `TooLarge`."""
        self.length = content_length(request)
        self._stream = request.stream().__aiter__()
        self._limit = limit
        self.received = 0

    def certain(self) -> int:
        """Bytes that are still to come, when the client announced a length; else 0."""
        return 0 if self.length is None else self.length - self.received

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    block = await anext(self._stream, b"")
            except TimeoutError:
                raise TooSlow from None
            except ClientDisconnect:
                raise InvalidInput("the connection was closed in the middle of the body") from None
            if not block:
                return
            self.received += len(block)
            if self._limit is not None and self.received > self._limit:
                raise TooLarge(f"the body is longer than {self._limit} bytes")
            yield block

    async def drain(self) -> None:
        """Read what is left and drop it, as long as it comes and is within the limit."""
        with suppress(DomainError):
            async for _ in self:
                pass


def content_length(request: Request) -> int | None:
    """The announced length of the body in bytes, or None when it comes in chunks. The server refuses other values."""
    text = request.headers.get("content-length")
    return int(text) if text is not None and text.isdecimal() else None


async def read_body(request: Request, limit: int = FIELD_LIMIT) -> bytes:
    """A small body, whole. Raises `TooLarge` beyond `limit` bytes."""
    return b"".join([block async for block in RawBody(request, limit)])


def media_type(request: Request) -> str:
    """The media type of the body in lower case, without parameters; empty when none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
