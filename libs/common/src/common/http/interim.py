"""Interim answers: what a service says before its answer, with a status of 1xx.

ASGI has no message for them, so the server puts a function into the scope of each request (see `server`). Where it is
missing, because another server runs the application or the client speaks HTTP/1.0, nothing is said.
"""

from collections.abc import Callable, Mapping

from fastapi import Request

EXTENSION = "waystation.interim"

Write = Callable[[int, str, Mapping[str, str]], None]


def send_interim(request: Request, status: int, phrase: str, headers: Mapping[str, str]) -> None:
    """Send an interim answer to the client, if that can be done. Clients that do not know the status ignore it."""
    write: Write | None = request.scope.get("extensions", {}).get(EXTENSION)
    if write:
        write(status, phrase, headers)
