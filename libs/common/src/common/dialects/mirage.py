"""Mirage: its envelope, its bare token and its bodies (section 1 of its document).

Accounts live in the auth service, rooms and messages in the chat service, the upload in the upload service; all three
answer in these shapes. An error is `{"error": "<text>"}`.
"""

from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from common.errors import DomainError
from common.http.json_bodies import BODY_LIMIT, Fields, read_object
from common.http.problems import DialectRoute
from common.identities import Identities
from common.identity import CredentialError, Identity
from common.statuses import headers_of, status_of

UNAUTHORIZED = "unauthorized"

DEFAULT_AVATAR = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAyNCAyNCI+PHJl"
    "Y3Qgd2lkdGg9IjI0IiBoZWlnaHQ9IjI0IiBmaWxsPSIjNGI1NTYzIi8+PGNpcmNsZSBjeD0iMTIiIGN5PSI5IiByPSI0IiBmaWxsPSIjZDFkNW"
    "RiIi8+PHBhdGggZD0iTTQgMjRhOCA4IDAgMCAxIDE2IDB6IiBmaWxsPSIjZDFkNWRiIi8+PC9zdmc+"
)
"""The picture of accounts without one. It is a data URL, because pages usually come from another host."""


class Refused(DomainError):
    """The request is refused with a status and a text of this dialect; `more`: further members of the body."""

    code = "refused"

    def __init__(self, status: int, message: str, **more: str) -> None:
        super().__init__(message)
        self.status, self.more = status, more


async def identify(
    identities: Identities, authorization: str | None, missing: Refused, unknown: str = UNAUTHORIZED
) -> Identity:
    """The account behind `Authorization: <token>`, or behind a signed token after `Bearer`.

    Raises `missing` without a header, `Refused` with the text `unknown` if the token is unknown or has ended, and
    `Unavailable`.
    """
    if not authorization:
        raise missing
    scheme, _, signed = authorization.partition(" ")
    try:
        if scheme.lower() == "bearer" and signed:
            return await identities.of_token(signed)
        return await identities.of_opaque(authorization)
    except CredentialError:
        raise Refused(401, unknown) from None


async def read_fields(request: Request, limit: int = BODY_LIMIT) -> Fields:
    """The members of the body, whose content type must be JSON. Raises `Refused`, `InvalidInput`, `TooLarge`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "the content type is not application/json")
    return await read_object(request, limit)


def number_of(value: object) -> int | None:
    """An id, sent as a number or as a string of digits; None if it is neither or larger than any id."""
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and len(value) < 20 and value.isascii() and value.strip().isdecimal():
        number = int(value)
    else:
        return None
    return number if 0 <= number < 2**63 else None


def row_time(moment: datetime) -> str:
    """A time in the format of the original's database: `YYYY-MM-DD HH:MM:SS`, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


class MirageRoute(DialectRoute):
    """A route of this dialect."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        return render(error)

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return {"error": detail}


def render(error: DomainError) -> JSONResponse:
    """An error in the dialect's shape."""
    if isinstance(error, Refused):
        return JSONResponse({"error": error.message, **error.more}, error.status)
    return JSONResponse({"error": error.message}, status_of(error), headers_of(error))
