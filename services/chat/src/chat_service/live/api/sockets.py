"""WebSockets: the events of a room, and a way to post there."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from chat_service.live import Close, End, Ended, Hub, Listener, Subscription
from chat_service.live.api.aborting import abort_of
from chat_service.live.api.connections import LAST_SECONDS, close_code, until_ended
from chat_service.live.api.wires import writing_to
from chat_service.streams import Message
from chat_service.streams.model import encode
from common.errors import DomainError, InvalidInput, Unavailable

DROP_SECONDS = 15
"""The time that a closed connection may take to end by itself."""


class TypingSent(BaseModel):
    """The client's user is typing."""

    model_config = {"extra": "forbid"}

    type: Literal["typing"]


class MessageSent(BaseModel):
    """A message to post. The answer repeats `nonce`, by which it is the same message when it is sent again."""

    model_config = {"extra": "forbid"}

    type: Literal["message"]
    text: str
    reply_to: str | None = None
    nonce: Annotated[str | int | None, Field(union_mode="smart")] = None


_sent: TypeAdapter[TypingSent | MessageSent] = TypeAdapter(
    Annotated[TypingSent | MessageSent, Field(discriminator="type")]
)

Post = Callable[[MessageSent], Awaitable[Message]]
"""Posts a message in the room. Raises `DomainError`."""


class Allowance:
    """At most `rate` events a second in the long run, and `burst` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, time.monotonic()

    def take(self) -> bool:
        """Count one more event and return whether it is allowed."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class SocketSession:
    """One accepted socket of one listener."""

    def __init__(self, socket: WebSocket, hub: Hub, post: Post) -> None:
        self._socket, self._hub, self._post = socket, hub, post
        self._anything, self._messages, self._typing = Allowance(30, 60), Allowance(10, 20), Allowance(1, 1)

    async def run(self, room_id: int, listener: Listener, after: str | None) -> None:
        """Send events and receive messages until either side ends the connection."""
        try:
            subscription = await self._hub.subscribe(room_id, listener, after)
        except Ended as ended:
            await say_end(self._socket, ended.end)
            return
        try:
            end = await until_ended(subscription, self._send(subscription), self._receive(subscription))
        except WebSocketDisconnect:
            end = None
        finally:
            await self._hub.unsubscribe(subscription)
        if end is not None:
            await say_end(self._socket, end)

    async def _send(self, subscription: Subscription) -> None:
        write = writing_to(self._socket)
        while True:
            await write(await subscription.frame())

    async def _receive(self, subscription: Subscription) -> None:
        while True:
            text = await received_text(self._socket)
            if not self._anything.take():
                raise Ended(Close.FLOOD)
            try:
                sent = _sent.validate_json(text)
            except ValidationError as error:
                first = error.errors(include_url=False, include_context=False, include_input=False)[0]
                _answer_error(subscription, InvalidInput(first["msg"]), None)
                continue
            if isinstance(sent, MessageSent):
                await self._post_message(subscription, sent)
            elif self._typing.take():
                await self._report_typing(subscription)

    async def _post_message(self, subscription: Subscription, sent: MessageSent) -> None:
        if not self._messages.take():
            raise Ended(Close.FLOOD)
        try:
            message = await self._post(sent)
        except DomainError as error:
            _answer_error(subscription, error, sent.nonce)
        else:
            subscription.answer(encode({"type": "posted", "message_id": message.id, "nonce": sent.nonce}))

    async def _report_typing(self, subscription: Subscription) -> None:
        try:
            await self._hub.typing(subscription)
        except Unavailable:
            # Nothing is lost: typing is reported again a second later.
            return


async def received_text(socket: WebSocket) -> str:
    """The next text message. Raises `WebSocketDisconnect`, and `Ended` for a binary one."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text: str | None = message.get("text")
    if text is None:
        raise Ended(Close.BAD_INPUT)
    return text


async def say_end(socket: WebSocket, end: End) -> None:
    """Close a socket whose client may not be reading."""
    abort = abort_of(socket.scope)
    try:
        async with asyncio.timeout(LAST_SECONDS):
            if end.last_words is not None:
                await socket.send_text(end.last_words.decode())
            await socket.close(end.code, end.reason)
    except TimeoutError:
        abort()
    except (WebSocketDisconnect, RuntimeError):
        # The client has closed it in the meantime.
        return
    else:
        asyncio.get_running_loop().call_later(DROP_SECONDS, abort)


async def refuse(socket: WebSocket, error: DomainError) -> None:
    """Close a socket that is not allowed."""
    await say_end(socket, End(close_code(error)))


def _answer_error(subscription: Subscription, error: DomainError, nonce: str | int | None) -> None:
    answer = {"type": "error", "code": error.code, "detail": error.message, "nonce": nonce}
    subscription.answer(encode(answer))
