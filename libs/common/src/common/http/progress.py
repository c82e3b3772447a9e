"""Progress by Server-Sent Events: a state is sent whenever it changes, until it is final."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from pydantic import BaseModel
from starlette.responses import StreamingResponse

from common.errors import DomainError, Unavailable
from common.http.problems import render

LOOK_SECONDS = 0.5
"""The pause between two looks."""
SILENCE_LOOKS = 30
"""After this many looks without a change a comment is sent, so that proxies keep the connection open."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Look = Callable[[], Awaitable[tuple[BaseModel, bool]]]
"""Returns the current state and whether it is final. Raises `DomainError` if the caller may no longer see it."""


async def stream(look: Look) -> StreamingResponse:
    """An answer that sends the state as `data` of events named `state`, and ends with an event `end`.

    The first look comes before the answer begins, so that its errors become ordinary error answers. Every further look
    checks the caller's rights again, and its error is sent as an event `error` with problem details. While a part of
    the system is down, no event is sent.
    """
    first = await look()
    return StreamingResponse(_events(look, first), media_type="text/event-stream", headers=HEADERS)


async def _events(look: Look, first: tuple[BaseModel, bool]) -> AsyncGenerator[bytes]:
    (state, is_settled), said, silent = first, "", 0
    while True:
        text, silent = state.model_dump_json(), silent + 1
        if text != said:
            yield f"event: state\ndata: {text}\n\n".encode()
            said, silent = text, 0
        elif silent >= SILENCE_LOOKS:
            yield b":\n\n"
            silent = 0
        if is_settled:
            yield b"event: end\ndata: {}\n\n"
            return
        await asyncio.sleep(LOOK_SECONDS)
        try:
            state, is_settled = await look()
        except Unavailable:
            continue
        except DomainError as error:
            yield b"event: error\ndata: " + bytes(render(error).body) + b"\n\n"
            return
