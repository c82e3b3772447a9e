"""Answering with pages: in the reader's language, and with the headers that restrict what browsers do with them."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import HTMLResponse

from common.http.preferences import preferences
from share_service.pages.style import HEADERS
from share_service.pages.words import ENGLISH, LANGUAGES, Words


def words_for(request: Request) -> Words:
    """The words of the language that the reader prefers among those of the pages, or else English."""
    named = (each.partition("-")[0] for each in preferences(",".join(request.headers.getlist("accept-language"))))
    return next((LANGUAGES[name] for name in named if name in LANGUAGES), ENGLISH)


def html_answer(document: str, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    """The answer with this document."""
    return HTMLResponse(document, status, {"Vary": "Accept-Language", **HEADERS, **(headers or {})})
