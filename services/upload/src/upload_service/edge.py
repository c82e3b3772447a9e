"""Reading from a request what routes of every slice and dialect need."""

from typing import TypeVar

from fastapi import Request

C = TypeVar("C")


def context_of(request: Request, kind: type[C]) -> C:
    """The process's context, typed as the calling slice knows it: `kind` is that slice's `Context`."""
    context = request.app.state.context
    assert isinstance(context, kind), "the application has the context of the whole service"
    return context


def address_of(request: Request) -> str:
    """The client's address, which limits count by."""
    return request.client.host if request.client else ""
