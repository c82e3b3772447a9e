"""Answers for people at a terminal: plain text, errors included, with the statuses of the native API."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse

from common.errors import DomainError
from common.http.problems import DialectRoute
from common.statuses import headers_of, status_of

PLACE = "/c"
"""The start of the path of a share with a code: `/c/CODE` is its content, and `/c/CODE/KEY` can be deleted."""
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class CurlRoute(DialectRoute):
    """A route whose errors are one line of text."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        return text(error.message, status_of(error), headers_of(error))

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return {"detail": detail}


def text(content: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer to read, which ends with a line break."""
    return PlainTextResponse(f"{content}\n", status, {**HEADERS, **(headers or {})})
