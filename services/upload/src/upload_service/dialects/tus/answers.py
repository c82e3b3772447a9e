"""tus: answers and errors. Errors are problem details, as in the rest of the native API."""

from datetime import UTC, datetime
from email.utils import format_datetime

from fastapi import Response
from fastapi.responses import JSONResponse

from common.errors import DomainError
from common.http.problems import problem, render
from common.statuses import headers_of
from common.store import PartBusy
from upload_service.content.appending import OffsetBeyond
from upload_service.content.sessions import SessionExpired
from upload_service.dialects.growing.checksums import TUS_ALGORITHMS
from upload_service.dialects.growing.receiving import ChecksumMismatch
from upload_service.dialects.tus.headers import VERSION, VersionRefused, WrongContentType

EXTENSIONS = (
    *("creation", "creation-with-upload", "creation-defer-length"),
    *("expiration", "checksum", "termination", "concatenation", "concatenation-unfinished"),
)
STATUSES: dict[type[DomainError], int] = {
    VersionRefused: 412,
    WrongContentType: 415,
    SessionExpired: 410,
    OffsetBeyond: 409,
    PartBusy: 423,
}
BUSY_SECONDS = 1
"""The time after which a client may ask again whose upload is being written by another request."""


def rendered(error: DomainError) -> Response:
    """The answer to a request that failed: a problem with a status of tus."""
    answer = _rendered(error)
    answer.headers["Tus-Resumable"] = VERSION
    if isinstance(error, VersionRefused):
        answer.headers["Tus-Version"] = VERSION
    return answer


def _rendered(error: DomainError) -> JSONResponse:
    if isinstance(error, ChecksumMismatch):
        # A status of tus alone, for which HTTP has no phrase.
        title = "Checksum Mismatch"
        body = {"type": "about:blank", "title": title, "status": 460, "detail": error.message, "code": error.code}
        return JSONResponse(body, 460, media_type="application/problem+json")
    for kind, status in STATUSES.items():
        if isinstance(error, kind):
            again = {"Retry-After": str(BUSY_SECONDS)} if isinstance(error, PartBusy) else {}
            return problem(status, error.message, error.code, {**headers_of(error), **again})
    return render(error)


def abilities(max_size: int) -> dict[str, str]:
    """The headers that say what this server can do. `max_size`: of a file, in bytes."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Max-Size": str(max_size),
        "Tus-Checksum-Algorithm": ",".join(TUS_ALGORITHMS),
    }


def answer(status: int, headers: dict[str, str]) -> Response:
    """An answer without a body."""
    return Response(status_code=status, headers={"Tus-Resumable": VERSION, "Cache-Control": "no-store", **headers})


def http_date(moment: datetime) -> str:
    """A moment as `Upload-Expires` has it."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
