"""Progress by Server-Sent Events: the state of something, told whenever it has changed, until it is settled."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from pydantic import BaseModel
from starlette.responses import StreamingResponse

from common.errors import DomainError, Unavailable
from common.http.problems import render

LOOK_SECONDS = 0.5
"""How often it is looked at."""
SILENCE_LOOKS = 30
"""After so many looks without a change a comment is sent, so that what stands in between keeps the connection."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Look = Callable[[], Awaitable[tuple[BaseModel, bool]]]
"""The state as it is now, and whether it is settled. Raises `DomainError` when it may not be seen any more."""


async def told(look: Look) -> StreamingResponse:
    """An answer that tells the state as `data` of events named `state`, and ends with an event `end`.

    Its first look is made before anything is answered, so that what it raises is an ordinary error. Each look asks for
    rights anew; an error then is an event `error` with problem details. While a part of the system is down, it waits.
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
