"""Answers whose content is read from somewhere else while it is sent, and may break off."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from fastapi import Response
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse
from starlette.types import Send

from common import logging
from common.errors import DomainError

_log = logging.get(__name__)


async def streamed(
    blocks: AsyncGenerator[bytes],
    status: int,
    headers: Mapping[str, str],
    background: BackgroundTask | None = None,
) -> Response:
    """An answer of these blocks, at least one, whose length is in the headers.

    Waits for the first block, so that content which cannot be read at all is an error with a status of its own. Raises
    what `blocks` raises until then. Later, the connection is closed before the announced length.
    """
    first = await anext(blocks)
    return _Streamed(_all(first, blocks), status, headers, background=background)


async def _all(first: bytes, blocks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(blocks):
        yield first
        async for block in blocks:
            yield block


class _Streamed(StreamingResponse):
    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except DomainError as error:
            # The server closes the connection of an answer that has no end, so nobody takes what came for the whole.
            _log.warning("an answer breaks off", error=error.code)
