"""A share as Server-Sent Events: its whole state at each change, and meanwhile how much of its items has arrived.

A stream ends after a while without an `end`, and also when the account's credential has: the client opens it again,
and is judged again.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from common.errors import DomainError, Unavailable
from common.http.progress import HEADERS
from share_service.sending.listening import Listener, Listeners
from share_service.sending.watching import Sight, Watches

SILENCE_SECONDS = 15.0
"""After so long without an event a comment is sent, so that proxies keep the connection open."""
LIFE_SECONDS = 90.0
"""A stream ends after this long, and the client opens another one."""
LIFE_JITTER = 0.2
"""The part of its life by which a stream may end earlier, so that clients do not come back all at once."""
_UNSEEN: Any = {"items": {"__all__": {"received"}}}

View = Callable[[Sight], BaseModel | None]
"""The document for the listener; None: it may not see the share any more."""


def stream(request: Request, share_id: UUID, view: View, listener: Listener | None = None) -> StreamingResponse:
    """An answer with the events `share` (the state), `progress` (received bytes, by the ids of items) and `end`."""
    watches: Watches = request.app.state.watches
    listeners: Listeners = request.app.state.listeners
    events = _lived(watches, listeners, share_id, view, listener or Listener())
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)


async def _lived(
    watches: Watches, listeners: Listeners, share_id: UUID, view: View, listener: Listener
) -> AsyncGenerator[bytes]:
    with suppress(Unavailable):
        async with listeners.listening(listener), watches.watching(share_id):
            async for event in _events(watches, share_id, view, listener):
                yield event


async def _events(watches: Watches, share_id: UUID, view: View, listener: Listener) -> AsyncGenerator[bytes]:
    state, received, silent = "", dict[str, int](), 0.0
    seen: Sight | None = None
    until = time.monotonic() + LIFE_SECONDS * (1 - LIFE_JITTER * random.random())  # noqa: S311
    while not listener.is_over.is_set() and time.monotonic() < until:
        try:
            sight = await watches.look(share_id)
        except Unavailable:
            await _rest(listener, 1)
            continue
        except DomainError:
            # Its file is gone, and it is about to end.
            yield END
            return
        if listener.is_over.is_set():
            return
        shown = None if sight.is_over else view(sight)
        if shown is None:
            yield END
            return
        silent += sight.pause
        if sight is not seen:
            before, received = received, {str(item.id): item.received for item in sight.items}
            moved = {one: size for one, size in received.items() if size != before.get(one)}
            text, seen = shown.model_dump_json(exclude=_UNSEEN), sight
            if text != state:
                yield _event("share", shown.model_dump_json())
                state, silent = text, 0.0
            elif moved:
                yield _event("progress", json.dumps({"items": moved}))
                silent = 0.0
        elif silent >= SILENCE_SECONDS:
            yield b":\n\n"
            silent = 0.0
        await _rest(listener, sight.pause)


async def _rest(listener: Listener, seconds: float) -> None:
    """Wait so long, or until the listener's credential has ended."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await listener.is_over.wait()


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


END = _event("end", "{}")
