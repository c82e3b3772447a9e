"""`/m/{slug}`: the page of a file, the form for its password, and the download."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from common.errors import DomainError, Forbidden, NotFound, RateLimited, Unavailable
from common.http.downloads import download as download_answer
from common.http.forms import read_form
from common.http.problems import DialectRoute
from common.statuses import headers_of, status_of
from share_service.downloads.downloading import start_download
from share_service.downloads.passwords import PasswordMissing, PasswordWrong
from share_service.downloads.requests import HeaderPasswordWrong, TooManyRanges, download_request, proof_of
from share_service.edge import context_of
from share_service.pages.documents import notice_document, page_document, password_document
from share_service.pages.model import PLACE, download_path
from share_service.pages.opening import open_page, unlock
from share_service.pages.style import HEADERS
from share_service.pages.words import ENDINGS
from share_service.shares.model import ShareEnded, UnknownCode, is_slug

FORM_LIMIT = 16 * 1024
WRONG_PASSWORD = "That is not the password."  # noqa: S105
NEEDS_PASSWORD = "A password is needed to download this file."  # noqa: S105


class PageRoute(DialectRoute):
    """A route whose errors are pages too."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        slug = str(request.path_params.get("slug", ""))
        if isinstance(error, PasswordMissing | PasswordWrong):
            message = WRONG_PASSWORD if isinstance(error, PasswordWrong) else NEEDS_PASSWORD
            headers = {"WWW-Authenticate": HeaderPasswordWrong.challenge}
            return _html(password_document(slug, message), 401, headers)
        title, text = _notice(error)
        # There is no way back to a page that does not exist, or not any more.
        back = slug if is_slug(slug) and not isinstance(error, NotFound | ShareEnded) else ""
        status = 416 if isinstance(error, TooManyRanges) else status_of(error)
        return _html(notice_document(title, text, back), status, headers_of(error))

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return {"detail": detail}


router = APIRouter(prefix=PLACE, route_class=PageRoute, include_in_schema=False)


@router.api_route("/{slug}", methods=["GET", "HEAD"])
async def show(request: Request, slug: str) -> Response:
    """The page, or a form for its password."""
    page = await open_page(context_of(request), slug)
    if page.password_hash is not None:
        return _html(password_document(slug))
    return _html(page_document(page, download_path(slug)))


@router.post("/{slug}")
async def submit_password(request: Request, slug: str) -> Response:
    """The page, for the password in the field `password`; its link to the download carries a key."""
    context = context_of(request)
    page = await open_page(context, slug)
    fields = await read_form(request, limit=FORM_LIMIT)
    password = next((field.text for field in fields if field.name == "password"), "")
    key = await unlock(context, page, proof_of(request, password))
    return _html(page_document(page, download_path(slug, key)))


@router.api_route("/{slug}/download", methods=["GET", "HEAD"])
async def download(request: Request, slug: str) -> Response:
    """The file. A GET takes a use, unless a lease covers it. `?key=` is accepted in place of a password."""
    asked = download_request(request, request.query_params.get("key"))
    found = await start_download(context_of(request), "page", slug, asked)
    return download_answer(
        stored_at=found.stored_at,
        size=found.share.size,
        sha256=found.sha256,
        media_type="application/octet-stream",
        name=found.share.name,
        only=found.range,
    )


@router.api_route("/{path:path}", methods=["GET", "HEAD", "POST"])
async def no_page() -> Response:
    """Everything else under `/m/`."""
    raise UnknownCode


def _notice(error: DomainError) -> tuple[str, str]:
    """The heading and the sentence that tell of an error."""
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
