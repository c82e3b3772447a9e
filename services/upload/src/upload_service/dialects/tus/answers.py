"""tus: answers and errors. Errors are problem details, as in the rest of the native API."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from common.errors import DomainError, InvalidInput
from common.http.problems import DialectRoute, problem, render
from common.statuses import headers_of
from common.store import PartBusy
from upload_service.content.appending import OffsetBeyond
from upload_service.content.sessions import SessionExpired
from upload_service.dialects.tus.headers import ALGORITHMS, VERSION, VersionRefused, WrongContentType
from upload_service.dialects.tus.receiving import ChecksumMismatch

EXTENSIONS = (
    *("creation", "creation-with-upload", "creation-defer-length"),
    *("expiration", "checksum", "termination", "concatenation"),
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


class TusRoute(DialectRoute):
    """A route whose errors have the statuses of tus, and whose answers name the protocol's version."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        answer = _rendered(error)
        answer.headers["Tus-Resumable"] = VERSION
        if isinstance(error, VersionRefused):
            answer.headers["Tus-Version"] = VERSION
        return answer

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return {"type": "about:blank", "title": detail, "status": 405, "detail": detail, "code": "http"}

    def misshaped(self, request: Request, error: RequestValidationError) -> Response:
        return self.rendered(request, InvalidInput())


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


def abilities(max_size: int) -> Response:
    """The abilities of this server. `max_size`: of a file, in bytes."""
    return answer(
        204,
        {
            "Tus-Version": VERSION,
            "Tus-Extension": ",".join(EXTENSIONS),
            "Tus-Max-Size": str(max_size),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        },
    )


def answer(status: int, headers: dict[str, str]) -> Response:
    """An answer without a body."""
    return Response(status_code=status, headers={"Tus-Resumable": VERSION, "Cache-Control": "no-store", **headers})


def http_date(moment: datetime) -> str:
    """A moment as `Upload-Expires` has it."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
