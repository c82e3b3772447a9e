"""The draft's answers and errors: problem details, some of types of its own."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from common.errors import Conflict, DomainError, InvalidInput, Unavailable
from common.http.problems import problem
from common.policy import SizeRefused
from common.statuses import headers_of, status_of
from common.store import PartBusy
from upload_service.content.sessions import SessionExpired
from upload_service.dialects.growing.receiving import OffsetWrong
from upload_service.dialects.resumable.versions import MEDIA_TYPE, NEWEST, VersionUnknown, version_of

PROBLEMS = "https://iana.org/assignments/http-problem-types#"
PROCESSED = "is_processed"
"""The name in the request's state that is set once all bytes are there, and only the answer is missing."""
BUSY_SECONDS = 1


class WrongMediaType(DomainError):
    """What is appended must have the Content-Type application/partial-upload."""

    code = "content_type"


class InconsistentLength(InvalidInput):
    """The upload has another length than was said before."""

    code = "inconsistent_length"


class CompletedUpload(InvalidInput):
    """The upload is complete."""

    code = "upload_complete"


_STATUSES: dict[type[DomainError], int] = {SessionExpired: 410, PartBusy: 423, WrongMediaType: 415}
_TYPES: dict[type[DomainError], str] = {
    OffsetWrong: "mismatching-upload-offset",
    InconsistentLength: "inconsistent-upload-length",
    CompletedUpload: "completed-upload",
}


def answer(status: int, request: Request, headers: dict[str, str], content: Any = None) -> Response:
    """An answer, whose body is JSON if there is one."""
    sent = {"Cache-Control": "no-store", **version_of(request).echo, **headers}
    return Response(status_code=status, headers=sent) if content is None else JSONResponse(content, status, sent)


def rendered(request: Request, error: DomainError) -> Response:
    """The answer to a request that failed."""
    version = NEWEST if isinstance(error, VersionUnknown) else version_of(request)
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), status_of(error))
    sent = {**headers_of(error), **version.echo}
    match error:
        case PartBusy():
            sent["Retry-After"] = str(BUSY_SECONDS)
        case WrongMediaType():
            sent["Accept-Patch"] = MEDIA_TYPE
        case SizeRefused():
            sent |= version.limits(error.limit)
        case OffsetWrong():
            sent["Upload-Offset"] = str(error.expected)
        case _:
            pass
    if getattr(request.state, PROCESSED, False) and not isinstance(error, Unavailable):
        # The client need not send anything again: it is the file that was refused.
        sent |= version.completeness(is_complete=True)
    kind = next((kind for cause, kind in _TYPES.items() if isinstance(error, cause)), None)
    if kind is None:
        return problem(status, error.message, error.code, sent)
    body = {"type": f"{PROBLEMS}{kind}", "title": error.message, "status": status, "detail": error.message}
    if isinstance(error, OffsetWrong):
        body |= {"expected-offset": error.expected, "provided-offset": error.provided}
    return JSONResponse({**body, "code": error.code}, status, sent, media_type="application/problem+json")


assert issubclass(OffsetWrong, Conflict), "whose status is the one that the draft asks for"
