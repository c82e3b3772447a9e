"""Fetching by link. Readers of HTML are told of errors by a page, all others in this dialect."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

from fastapi import APIRouter, Request, Response

from common.dialects.fileuploader import FileUploaderRoute, Refused
from common.errors import DomainError, NotFound
from common.http.downloads import shown
from common.http.preferences import wants_html
from common.ranges import RANGE_LIMIT
from common.statuses import headers_of
from share_service.downloads.downloading import start_download
from share_service.downloads.media_types import DOWNLOAD_TYPE, is_played, preview_type
from share_service.downloads.passwords import PasswordMissing, PasswordWrong
from share_service.downloads.requests import TooManyRanges, download_request
from share_service.edge import context_of
from share_service.pages.answers import html_answer, words_for
from share_service.pages.documents import notice_document
from share_service.pages.words import Notice, Words
from share_service.shares.model import ShareEnded

NO_FILE = "File not found"


class LinkRoute(FileUploaderRoute):
    """A route whose errors are pages for those who ask for HTML, as browsers do."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        answer = super().rendered(request, own_error(error))
        if wants_html(request):
            words = words_for(request)
            document = notice_document(words, _notice(words, error))
            vary = {"Vary": "Accept, Accept-Language"}
            return html_answer(document, answer.status_code, {**headers_of(error), **vary})
        answer.headers["Vary"] = "Accept"
        return answer


router = APIRouter(route_class=LinkRoute, include_in_schema=False)


@router.api_route("/file/{file_url}", methods=["GET", "HEAD"])
@router.api_route("/f/{file_url}", methods=["GET", "HEAD"])
async def fetch(request: Request, file_url: str) -> Response:
    """The file. A GET takes a use, unless a lease covers it."""
    asked = replace(download_request(request), plays=is_played)
    found = await start_download(context_of(request), "link", file_url, asked)
    media_type = preview_type(found.share.name)
    return shown(
        stored_at=found.stored_at,
        size=found.share.size,
        sha256=found.sha256,
        media_type=media_type or DOWNLOAD_TYPE,
        name=found.share.name,
        preview=media_type is not None,
        only=found.range,
    )


@contextmanager
def own_errors() -> Generator[None]:
    """Turn the errors of links and downloads into those of this dialect."""
    try:
        yield
    except DomainError as error:
        raise own_error(error) from None


def own_error(error: DomainError) -> DomainError:
    """The error of a link or a download as this dialect says it."""
    match error:
        case NotFound() | ShareEnded():
            return Refused(404, NO_FILE)
        case TooManyRanges():
            return Refused(416, f"More than {RANGE_LIMIT} ranges")
        case _:
            return error


def _notice(words: Words, error: DomainError) -> Notice:
    """The heading and the sentence that tell a reader of an error."""
    match error:
        case NotFound():
            return words.no_file
        case ShareEnded():
            return words.ended_file, words.endings[error.ended_for]
        case PasswordMissing() | PasswordWrong():
            return words.locked_file
        case _:
            return words.notice(error)
