"""Who calls, as far as a request alone tells: for the native API and all dialects alike."""

from collections.abc import Awaitable, Callable
from typing import Literal

from fastapi import Request

from auth_service.state import state_of
from common.addresses import limit_key
from common.dialects import fileuploader

Call = Literal["register", "login", "refresh", "logout"]


def address_of(request: Request) -> str:
    """The address by which limits count."""
    return limit_key(request.client.host if request.client else "")


def counted(call: Call) -> Callable[[Request], Awaitable[None]]:
    """A route dependency: `count_call`."""

    async def count(request: Request) -> None:
        await count_call(request, call)

    return count


async def count_call(request: Request, call: Call) -> None:
    """Count a call of this kind for its address, by whatever protocol it came. Raises `RateLimited`."""
    state = state_of(request)
    await fileuploader.count_call(state.limiter, call, state.calls_per_minute, request)


def label_of(request: Request, otherwise: str) -> str:
    """What the owner of a session may know its client by."""
    return request.headers.get("user-agent") or otherwise
