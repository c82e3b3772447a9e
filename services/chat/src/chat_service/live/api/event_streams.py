"""Server-Sent Events: the events of a room as an answer without an end."""

import asyncio
import random
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chat_service.live import Close, End, Ended, Frame, Hub, Listener, Subscription
from chat_service.live.api.aborting import abort_of
from chat_service.live.api.connections import LAST_SECONDS, error_of, until_ended
from chat_service.streams.model import encode

LIFE_SECONDS = 90
"""A stream ends after this long, and the client resumes it. One that has vanished would else be taken for present until
the system gives up its connection, in a quarter of an hour."""
LIFE_JITTER = 0.2
"""The part of its life by which a stream may end earlier, so that clients do not come back all at once."""
SILENCE_SECONDS = 15
"""After a silence of so many seconds a comment is sent, so that proxies do not give the connection up."""
RETRY_MILLISECONDS = 2000
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(Response):
    """The events of a room for one listener: each frame is `data`, and the event to resume after is its `id`.

    At the end it says why: `event: end`, with the code and the reason of a WebSocket's close.
    """

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, room_id: int, listener: Listener, after: str | None) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._hub, self._room_id, self._listener, self._after = hub, room_id, listener, after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            subscription = await self._hub.subscribe(self._room_id, self._listener, self._after)
        except Ended as ended:
            raise error_of(ended.end) from None
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            work = (_send_frames(subscription, send), _until_gone(receive), _live(subscription))
            end = await until_ended(subscription, *work)
        finally:
            await self._hub.unsubscribe(subscription, may_return=subscription.has_ended(Close.RESUME))
        if end is not None:
            await _say_end(end, scope, send)


async def _send_frames(subscription: Subscription, send: Send) -> None:
    await _send(send, b"retry: %d\n\n" % RETRY_MILLISECONDS)
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                frame = await subscription.frame()
        except TimeoutError:
            await _send(send, b":\n\n")
        else:
            await _send(send, _record(frame))


async def _live(subscription: Subscription) -> None:
    await asyncio.sleep(LIFE_SECONDS * (1 - LIFE_JITTER * random.random()))  # noqa: S311
    subscription.end(End(Close.RESUME))


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say_end(end: End, scope: Scope, send: Send) -> None:
    reason = b"event: end\ndata: %b\n\n" % encode({"code": end.code, "reason": end.reason})
    last = _record(Frame(end.last_words, None)) if end.last_words else b""
    try:
        async with asyncio.timeout(LAST_SECONDS):
            await _send(send, last + reason)
            await _send(send, b"", more=False)
    except (TimeoutError, OSError):
        abort_of(scope)()


def _record(frame: Frame) -> bytes:
    # Compact JSON has no line breaks.
    named = b"id: %b\n" % frame.last_id.encode() if frame.last_id else b""
    return b"%bdata: %b\n\n" % (named, frame.json)


async def _send(send: Send, body: bytes, *, more: bool = True) -> None:
    message: dict[str, Any] = {"type": "http.response.body", "body": body, "more_body": more}
    await send(message)
