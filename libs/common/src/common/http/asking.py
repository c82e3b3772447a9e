"""Whether a service wants a body that a client holds back until it is asked for (`Expect: 100-continue`).

The gateway asks the service first, by a request without the body. An answer that comes without reading the body is the
client's, which then keeps its body. Otherwise the gateway sends the request itself, and asks the client for the body
once. A service that is called directly needs none of this: its server asks when the body is first read.
"""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import Message, Scope, Send

from common.cancelling import cancel

METHOD, LENGTH = "x-body-method", "x-body-length"
"""The headers that hold the method of the request, and the announced length of the body if there is one."""
WANTED = b"x-body-wanted"

_QUESTION = "waystation.question"

Handle = Callable[[Scope, Headers, Callable[[], Awaitable[Message]], Send], Awaitable[None]]


def is_question(headers: Headers) -> bool:
    """Whether a request of the gateway only asks if the body is wanted."""
    return METHOD in headers


async def say_wanted(request: Request) -> None:
    """Say that the body is wanted, before anything is made that the request itself would make a second time.

    In a question this does not return; otherwise it does nothing.
    """
    if _QUESTION in request.scope.get("extensions", {}):
        await request.receive()


async def answer(handle: Handle, scope: Scope, headers: Headers, send: Send) -> None:
    """Let `handle` begin with the request that is meant, and say that the body is wanted when it begins to read it."""
    is_wanted, is_started = asyncio.Event(), False

    async def hold_back() -> Message:
        # Once an answer has begun, receiving only means to wait until the client is gone.
        if not is_started:
            is_wanted.set()
        return await asyncio.Future()

    async def send_own(message: Message) -> None:
        nonlocal is_started
        is_started = True
        await send(message)

    meant = _meant(scope, headers)
    handling = asyncio.ensure_future(handle(meant, Headers(scope=meant), hold_back, send_own))
    wanting = asyncio.ensure_future(is_wanted.wait())
    try:
        await asyncio.wait((handling, wanting), return_when=asyncio.FIRST_COMPLETED)
        if handling.done():
            handling.result()
            return
    finally:
        await cancel(handling, wanting)
    await send({"type": "http.response.start", "status": 204, "headers": [(WANTED, b"1")]})
    await send({"type": "http.response.body", "body": b""})


def _meant(scope: Scope, headers: Headers) -> Scope:
    """The request that the client has begun."""
    kept = [(name, value) for name, value in headers.raw if name.decode("latin-1") not in (METHOD, LENGTH)]
    if length := headers.get(LENGTH):
        kept.append((b"content-length", length.encode("latin-1")))
    # An interim answer would name what the question is about to leave.
    return {**scope, "method": headers[METHOD], "headers": kept, "extensions": {_QUESTION: {}}}
