"""A share as Server-Sent Events: its whole state at each change, and meanwhile how much of its items has arrived."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from common.errors import DomainError, Unavailable
from common.http.progress import HEADERS
from share_service.sending.watching import Sight, Watches

SILENCE_SECONDS = 15.0
"""After so long without an event a comment is sent, so that proxies keep the connection open."""
_UNSEEN: Any = {"items": {"__all__": {"received"}}}

View = Callable[[Sight], BaseModel | None]
"""The document for the listener; None: it may not see the share any more."""
Check = Callable[[], Awaitable[object]]
"""Raises `DomainError` if the listener's credential has ended."""


def stream(request: Request, share_id: UUID, view: View, check: Check | None = None) -> StreamingResponse:
    """An answer with the events `share` (the state), `progress` (received bytes, by the ids of items) and `end`.

    It ends with the credential of the listener, for which `check` looks each time.
    """
    watches: Watches = request.app.state.watches
    return StreamingResponse(_events(watches, share_id, view, check), media_type="text/event-stream", headers=HEADERS)


async def _events(watches: Watches, share_id: UUID, view: View, check: Check | None) -> AsyncGenerator[bytes]:
    state, received, silent = "", dict[str, int](), 0.0
    seen: Sight | None = None
    async with watches.watching(share_id):
        while True:
            try:
                sight = await watches.look(share_id)
                if check:
                    await check()
            except Unavailable:
                await asyncio.sleep(1)
                continue
            except DomainError:
                # Its file is gone, and it is about to end; or the listener has no right to it any more.
                break
            shown = None if sight.is_over else view(sight)
            if shown is None:
                break
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
            await asyncio.sleep(sight.pause)
    yield _event("end", "{}")


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()
