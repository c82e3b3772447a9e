"""`/m/{slug}`: the page of a file, the form for its password, and the download."""

from typing import Any

from fastapi import APIRouter, Request, Response

from common.errors import DomainError, Forbidden, NotFound
from common.http.downloads import download as download_answer
from common.http.forms import read_form
from common.http.problems import DialectRoute
from common.statuses import headers_of, status_of
from share_service.downloads.downloading import start_download
from share_service.downloads.passwords import PasswordMissing, PasswordWrong
from share_service.downloads.requests import HeaderPasswordWrong, TooManyRanges, download_request, proof_of
from share_service.edge import context_of
from share_service.pages.answers import html_answer, words_for
from share_service.pages.documents import notice_document, page_document, password_document
from share_service.pages.model import PLACE, download_path
from share_service.pages.opening import open_page, unlock
from share_service.pages.words import Notice, Words
from share_service.shares.model import ShareEnded, UnknownCode, is_slug

FORM_LIMIT = 16 * 1024


class PageRoute(DialectRoute):
    """A route whose errors are pages too."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        words, slug = words_for(request), str(request.path_params.get("slug", ""))
        if isinstance(error, PasswordMissing | PasswordWrong):
            message = words.ask_again if isinstance(error, PasswordWrong) else words.ask_first
            headers = {"WWW-Authenticate": HeaderPasswordWrong.challenge}
            return html_answer(password_document(words, slug, message), 401, headers)
        # There is no way back to a page that does not exist, or not any more.
        back = slug if is_slug(slug) and not isinstance(error, NotFound | ShareEnded) else ""
        status = 416 if isinstance(error, TooManyRanges) else status_of(error)
        return html_answer(notice_document(words, _notice(words, error), back), status, headers_of(error))

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return {"detail": detail}


router = APIRouter(prefix=PLACE, route_class=PageRoute, include_in_schema=False)


@router.api_route("/{slug}", methods=["GET", "HEAD"])
async def show(request: Request, slug: str) -> Response:
    """The page, or a form for its password."""
    page = await open_page(context_of(request), slug)
    words = words_for(request)
    if page.password_hash is not None:
        return html_answer(password_document(words, slug))
    return html_answer(page_document(words, page, download_path(slug)))


@router.post("/{slug}")
async def submit_password(request: Request, slug: str) -> Response:
    """The page, for the password in the field `password`; its link to the download carries a key."""
    context = context_of(request)
    page = await open_page(context, slug)
    fields = await read_form(request, limit=FORM_LIMIT)
    password = next((field.text for field in fields if field.name == "password"), "")
    key = await unlock(context, page, proof_of(request, password))
    return html_answer(page_document(words_for(request), page, download_path(slug, key)))


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


def _notice(words: Words, error: DomainError) -> Notice:
    """The heading and the sentence that tell of an error."""
    match error:
        case NotFound():
            return words.no_page
        case ShareEnded():
            return words.ended_page, words.endings[error.ended_for]
        case Forbidden():
            return words.old_link
        case _:
            return words.notice(error)
