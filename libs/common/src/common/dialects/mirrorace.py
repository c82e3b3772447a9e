"""MirrorAce: its envelope, its credentials, its small bodies, its numbers and times (sections 1 and 7 of its contract).

What becomes of a file is told by the share service, uploads are taken by the upload service; both answer in these
shapes. Whatever the caller did wrong is HTTP 200, because its clients read the envelope of no other answer.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from common import errors
from common.dialects.route import DialectRoute
from common.errors import DomainError
from common.http.forms import Field, read_form
from common.identities import Identities
from common.identity import CredentialError, Identity
from common.statuses import headers_of, status_of

BAD_CREDENTIALS = "Invalid api_key or api_token"
FIELD_COUNT = 256
"""Fields that one form may have: a hundred mirrors, and all that clients send back of an earlier answer."""
FIELD_LIMIT = 64 * 1024
"""Bytes that one field may have beside a file, of which an upload bears `FIELD_COUNT`."""
BODY_LIMIT = 256 * 1024
"""Bytes that a form without a file may have."""

_CREDENTIAL = re.compile("[0-9a-f]{32}", re.ASCII)
_MIRRORS = re.compile(r"mirrors\[[^\[\]]*\]")
_ID = re.compile("[0-9]{1,18}", re.ASCII)


class Refused(DomainError):
    """What the caller asks for cannot be done: its text is the answer."""

    code = "refused"


async def read_fields(request: Request) -> list[Field]:
    """The fields of a form that carries no file, urlencoded or multipart. Raises `InvalidInput`, `TooLarge`."""
    return await read_form(request, limit=BODY_LIMIT, count=FIELD_COUNT)


def value_of(fields: Sequence[Field], name: str) -> str:
    """The last value that was sent under this name; empty when there is none."""
    return next((field.text for field in reversed(fields) if field.name == name), "")


def required(fields: Sequence[Field], name: str) -> str:
    """`value_of`, where something has to be sent. Raises `Refused`."""
    value = value_of(fields, name)
    if not value:
        raise Refused(f"{name} is missing")
    return value


def mirror_ids(fields: Sequence[Field]) -> list[int]:
    """The mirrors that are asked for, each once, in the order sent: the values of `mirrors[]` and of `mirrors[7]`.

    What is no number is left out.
    """
    values = (field.text.strip() for field in fields if _MIRRORS.fullmatch(field.name))
    return list(dict.fromkeys(int(value) for value in values if _ID.fullmatch(value)))


async def identify(identities: Identities, fields: Sequence[Field]) -> Identity:
    """Whose `api_key` and `api_token` these are. Raises `Refused`, `Unavailable`."""
    key, token = value_of(fields, "api_key"), value_of(fields, "api_token")
    if not (_CREDENTIAL.fullmatch(key) and _CREDENTIAL.fullmatch(token)):
        raise Refused(BAD_CREDENTIALS)
    try:
        return await identities.of_key(key, token)
    except CredentialError:
        raise Refused(BAD_CREDENTIALS) from None


def date_text(moment: datetime) -> str:
    """`2018-10-23 10:07:02`, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def success(result: object) -> JSONResponse:
    """Success. Numbers in `result` are texts in this dialect."""
    return JSONResponse({"status": "success", "result": result})


class MirrorAceRoute(DialectRoute):
    """A route of this dialect: `{"status":"error","result":"<text>"}`."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        return render(error)

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return _failure(detail)


def render(error: DomainError) -> JSONResponse:
    """An error in the dialect's shape: HTTP 200, unless it is this system that cannot (503 and 507)."""
    if isinstance(error, errors.Unavailable | errors.StorageFull):
        return JSONResponse(_failure(error.message), status_of(error), headers_of(error))
    return JSONResponse(_failure(error.message))


def _failure(text: str) -> dict[str, Any]:
    return {"status": "error", "result": text}
