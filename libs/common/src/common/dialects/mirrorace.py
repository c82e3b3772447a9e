"""MirrorAce: its envelope, its credentials, its small bodies, its numbers and times (sections 1 and 7 of its contract).

The upload service takes uploads, the share service answers questions about files; both answer in these shapes. Mistakes
of the caller are answered with HTTP 200, because clients only read the envelope of such answers.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from common import errors
from common.errors import DomainError
from common.http.forms import Field, read_form
from common.http.problems import DialectRoute
from common.identities import Identities
from common.identity import CredentialError, Identity
from common.statuses import headers_of, status_of

BAD_CREDENTIALS = "Invalid api_key or api_token"
FIELD_COUNT = 256
"""The most fields of one form: enough for a hundred mirrors and for the fields that clients send back."""
FIELD_LIMIT = 64 * 1024
"""The most bytes of one field in a form with a file. Such a form may have `FIELD_COUNT` fields."""
BODY_LIMIT = 256 * 1024
"""The most bytes of a form without a file."""

_CREDENTIAL = re.compile("[0-9a-f]{32}", re.ASCII)
_MIRRORS = re.compile(r"mirrors\[[^\[\]]*\]")
_ID = re.compile("[0-9]{1,18}", re.ASCII)


class Refused(DomainError):
    """The request is refused; the message is the text of the answer."""

    code = "refused"


async def read_fields(request: Request) -> list[Field]:
    """The fields of a form that carries no file, urlencoded or multipart. Raises `InvalidInput`, `TooLarge`."""
    return await read_form(request, limit=BODY_LIMIT, count=FIELD_COUNT)


def value_of(fields: Sequence[Field], name: str) -> str:
    """The last value sent under this name; empty if there is none."""
    return next((field.text for field in reversed(fields) if field.name == name), "")


def required(fields: Sequence[Field], name: str) -> str:
    """Like `value_of`, for a mandatory field. Raises `Refused`."""
    value = value_of(fields, name)
    if not value:
        raise Refused(f"{name} is missing")
    return value


def mirror_ids(fields: Sequence[Field]) -> list[int]:
    """The requested mirrors, each once, in the order sent: the values of `mirrors[]` and of `mirrors[7]`.

    Values that are not numbers are left out.
    """
    values = (field.text.strip() for field in fields if _MIRRORS.fullmatch(field.name))
    return list(dict.fromkeys(int(value) for value in values if _ID.fullmatch(value)))


async def identify(identities: Identities, fields: Sequence[Field]) -> Identity:
    """The account behind `api_key` and `api_token`. Raises `Refused`, `Unavailable`."""
    key, token = value_of(fields, "api_key"), value_of(fields, "api_token")
    if not (_CREDENTIAL.fullmatch(key) and _CREDENTIAL.fullmatch(token)):
        raise Refused(BAD_CREDENTIALS)
    try:
        return await identities.of_key(key, token)
    except CredentialError:
        raise Refused(BAD_CREDENTIALS) from None


def date_text(moment: datetime) -> str:
    """A time as text, such as `2018-10-23 10:07:02`, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def success(result: object) -> JSONResponse:
    """Success. This dialect sends numbers in `result` as strings."""
    return JSONResponse({"status": "success", "result": result})


class MirrorAceRoute(DialectRoute):
    """A route of this dialect: `{"status":"error","result":"<text>"}`."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        return render(error)

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return _failure(detail)


def render(error: DomainError) -> JSONResponse:
    """An error in the dialect's shape: HTTP 200, except for failures of this system (503 and 507)."""
    if isinstance(error, errors.Unavailable | errors.StorageFull):
        return JSONResponse(_failure(error.message), status_of(error), headers_of(error))
    return JSONResponse(_failure(error.message))


def _failure(text: str) -> dict[str, Any]:
    return {"status": "error", "result": text}
