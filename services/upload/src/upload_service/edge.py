"""The process's context and the client's address, for routes; and the check of internal callers."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request

from common.http import internal

C = TypeVar("C")


def context_of(request: Request, kind: type[C]) -> C:
    """The process's context, typed as the calling slice knows it: `kind` is that slice's `Context`."""
    context = request.app.state.context
    assert isinstance(context, kind), "the application has the context of the whole service"
    return context


def address_of(request: Request) -> str:
    """The client's address, which limits count by."""
    return request.client.host if request.client else ""


def internal_only(*callers: str) -> Callable[[Request], Awaitable[str]]:
    """A route dependency: the request carries a service token of one of `callers`, whose name it returns."""

    async def check(request: Request) -> str:
        return await internal.internal_only(lambda: request.app.state.service_tokens, *callers)(request)

    return check
