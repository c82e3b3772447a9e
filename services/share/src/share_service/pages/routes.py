"""`/m/{slug}`: the page of a file, the form for its password, and the download."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from common import clock
from common.addresses import limit_key
from common.dialects.route import DialectRoute
from common.errors import DomainError, Forbidden, NotFound, RateLimited, Unavailable
from common.http.downloads import download as download_answer
from common.http.forms import read_form
from common.ranges import RANGE_LIMIT, range_count, starts_at_zero
from common.statuses import headers_of, status_of
from share_service.context import state_of
from share_service.downloads.downloading import Asked, admit, start_download
from share_service.downloads.keys import address_holder
from share_service.downloads.passwords import (
    HeaderPasswordWrong,
    PasswordMissing,
    PasswordWrong,
    proof_of,
    shown_password,
)
from share_service.pages.documents import notice_document, page_document, password_document
from share_service.pages.opening import PLACE, download_path, open_page
from share_service.pages.style import HEADERS
from share_service.pages.words import ENDINGS
from share_service.shares.model import ShareEnded, UnknownCode, is_slug

FORM_LIMIT = 16 * 1024
WRONG_PASSWORD = "That is not the password."  # noqa: S105
NEEDS_PASSWORD = "A password is needed to download this file."  # noqa: S105


class ManyRanges(DomainError):
    """This asks for too many ranges of the file at once."""


async def show(request: Request, slug: str) -> Response:
    """`GET` and `HEAD /m/{slug}`: the page; where it has a password, a form that asks for it."""
    page = await open_page(state_of(request), slug, clock.now())
    if page.password_hash is not None:
        return _html(password_document(slug))
    return _html(page_document(page, download_path(slug)))


async def unlock(request: Request, slug: str) -> Response:
    """`POST /m/{slug}`: the page, for the password in the field `password`, with a key to download the file."""
    state, now = state_of(request), clock.now()
    page = await open_page(state, slug, now)
    fields = await read_form(request, limit=FORM_LIMIT)
    password = next((field.text for field in fields if field.name == "password"), "")
    await state.passwords.check(page.share.id, page.password_hash, proof_of(request, password))
    key = state.keys.issue(slug, now, has_password=True) if page.password_hash is not None else None
    return _html(page_document(page, download_path(slug, key)))


async def download(request: Request, slug: str) -> Response:
    """`GET` and `HEAD /m/{slug}/download`: the file; `GET` takes a use unless it is a resume.

    What a password opens is opened by `?key=` too, as the page gives it.
    """
    state, now = state_of(request), clock.now()
    ranges = request.headers.getlist("range")
    if sum(range_count(header) for header in ranges) > RANGE_LIMIT:
        raise ManyRanges
    proof = proof_of(request, shown_password(request))
    holder, may_start = address_holder(limit_key(proof.address)), True
    key = request.query_params.get("key")
    if key is not None:
        checked = state.keys.check(key, slug)
        proof = replace(proof, has_key=checked.has_password)
        holder, may_start = checked.holder, checked.may_start(now)
    asked = Asked(
        form="page",
        code=slug,
        proof=proof,
        holder=holder,
        may_start=may_start,
        method="HEAD" if request.method == "HEAD" else "GET",
        is_new=partial(starts_at_zero, ",".join(ranges) or None),
    )
    found = await start_download(state, asked, await admit(state, asked, now), now)
    return download_answer(
        stored_at=found.stored_at,
        size=found.share.size,
        sha256=found.sha256,
        media_type="application/octet-stream",
        name=found.share.name,
    )


async def no_page() -> Response:
    """Everything else under `/m/`."""
    raise UnknownCode


class PageRoute(DialectRoute):
    """A route whose errors are pages too."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        slug = str(request.path_params.get("slug", ""))
        if isinstance(error, PasswordMissing | PasswordWrong):
            message = WRONG_PASSWORD if isinstance(error, PasswordWrong) else NEEDS_PASSWORD
            headers = {"WWW-Authenticate": HeaderPasswordWrong.challenge}
            return _html(password_document(slug, message), 401, headers)
        title, text = _notice(error)
        # What is not there, or no more, leads nowhere.
        back = slug if is_slug(slug) and not isinstance(error, NotFound | ShareEnded) else ""
        status = 416 if isinstance(error, ManyRanges) else status_of(error)
        return _html(notice_document(title, text, back), status, headers_of(error))

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return {"detail": detail}


def _notice(error: DomainError) -> tuple[str, str]:
    """What a page says of an error: its heading and a sentence."""
    match error:
        case NotFound():
            return "There is no such page", "Its address may be misspelt, or it ended some time ago."
        case ShareEnded():
            return "This page has ended", ENDINGS[error.ended_for]
        case Forbidden():
            return "This download link is no longer valid", "The page of the file has a new one."
        case RateLimited():
            return "Too many wrong passwords", "Please try again in a few minutes."
        case Unavailable():
            return "This cannot be shown at the moment", "Please try again in a few seconds."
        case _:
            return "This cannot be done", error.message


def _html(document: str, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    return HTMLResponse(document, status, {**HEADERS, **(headers or {})})


router = APIRouter(route_class=PageRoute, include_in_schema=False)
router.add_api_route(PLACE + "/{slug}", show, methods=["GET", "HEAD"], response_model=None)
router.add_api_route(PLACE + "/{slug}", unlock, methods=["POST"], response_model=None)
router.add_api_route(PLACE + "/{slug}/download", download, methods=["GET", "HEAD"], response_model=None)
router.add_api_route(PLACE + "/{path:path}", no_page, methods=["GET", "HEAD", "POST"], response_model=None)
