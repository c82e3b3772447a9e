"""FileCodeBox: its envelope, its errors and its fields.

Text shares and retrieval live in the share service, uploads in the upload service; both answer in these shapes.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from common import errors
from common.errors import DomainError
from common.expiry import ExpiryStyleRefused, ExpiryTooLong, ExpiryValueRefused
from common.http.problems import DialectRoute
from common.identity import Identity
from common.policy import Policy, SizeRefused, TypeRefused, UploadsExhausted
from common.statuses import headers_of, status_of

DEFAULT_VALUE, DEFAULT_STYLE = 1, "day"
DEFAULT_CHUNK_SIZE = 5 * 1024 * 1024
ZONE = timezone(timedelta(hours=8))
# The end of a decimal number that is an integer.
_NO_FRACTION = re.compile(r"(?<=[0-9])\.0+\s*\Z")

RATE_TEXT = "请求次数过多，请稍后再试"
UPLOAD_RATE_TEXT = "Upload rate limit"
CLOSED_TEXT = "本站未开启游客上传，如需上传请先登录后台"
FULL_TEXT = "存储空间已达到管理员设置的容量上限"
UNAUTHORIZED_TEXT = "未授权或授权校验失败"
BUSY_TEXT = "Service temporarily unavailable"


class Refused(DomainError):
    """The request is refused with a status and a text that this dialect prescribes."""

    code = "refused"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Missed(DomainError):
    """Nothing was found. This dialect answers HTTP 200 with `code` 404."""

    code = "missed"


class FieldError(DomainError):
    """A request field is missing or of the wrong type (422, with a list of errors in FastAPI's format)."""

    code = "field"

    def __init__(self, kind: str, location: list[str | int], message: str, value: object = None) -> None:
        super().__init__(message)
        self.errors = [{"type": kind, "loc": location, "msg": message, "input": value}]


def check_open(policy: Policy, authorization: str | None, identity: Identity | None) -> None:
    """Raise `Refused` if guests may not upload and the caller is a guest.

    A caller with an invalid `Authorization` header is a guest.
    """
    if policy.open_upload or identity:
        return
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(403, CLOSED_TEXT)
    raise Refused(401, UNAUTHORIZED_TEXT)


def ok(detail: object) -> JSONResponse:
    """Success: HTTP 200 and the envelope."""
    return envelope(200, detail)


def envelope(code: int, detail: object) -> JSONResponse:
    """HTTP 200 with a code of the dialect: 200, or 404 if a look-up found nothing."""
    return JSONResponse({"code": code, "message": "ok", "msg": "ok", "detail": detail})


def timestamp(moment: datetime | None) -> str | None:
    """A time in ISO 8601 with microseconds, in UTC+8 like all times of this dialect."""
    return moment.astimezone(ZONE).isoformat(timespec="microseconds") if moment else None


class FileCodeBoxRoute(DialectRoute):
    """A route whose errors have the form `{"detail": …}`."""

    def rendered(self, request: Request, error: DomainError) -> Response:
        return render(error)

    def wrong_method(self, detail: str) -> dict[str, Any]:
        return {"detail": detail}

    def misshaped(self, request: Request, error: RequestValidationError) -> Response:
        return JSONResponse({"detail": [_brief(item) for item in error.errors()]}, 422)


def _brief(error: dict[str, Any]) -> dict[str, Any]:
    return {key: error.get(key) for key in ("type", "loc", "msg", "input")}


def render(error: DomainError) -> JSONResponse:
    """An error in the dialect's shape."""
    error = _in_own_words(error)
    if isinstance(error, FieldError):
        return JSONResponse({"detail": error.errors}, 422)
    if isinstance(error, Refused):
        return JSONResponse({"detail": error.message}, error.status)
    if isinstance(error, Missed):
        return envelope(404, error.message)
    if isinstance(error, errors.RateLimited):
        return JSONResponse({"detail": RATE_TEXT}, 423, headers_of(error))
    if isinstance(error, errors.StorageFull):
        return JSONResponse({"detail": FULL_TEXT}, 507)
    if isinstance(error, errors.Unavailable):
        return JSONResponse({"detail": BUSY_TEXT}, 503, headers_of(error))
    return JSONResponse({"detail": error.message}, status_of(error), headers_of(error))


def _in_own_words(error: DomainError) -> DomainError:
    """Translate a refusal of the policy to this dialect's status and text (sections 3 and 7 of its contract)."""
    match error:
        case ExpiryStyleRefused():
            return Refused(400, "Invalid expiration type")
        case ExpiryValueRefused():
            return Refused(400, "Invalid expiration value")
        case ExpiryTooLong():
            return Refused(403, f"限制最长时间为 {error.longest / timedelta(days=1):g}，可换用其他方式")
        case SizeRefused():
            return Refused(403, f"Size exceeds limit, maximum is {error.limit / 1024 / 1024:.2f} MB")
        case TypeRefused():
            return Refused(403, "不允许上传该类型文件")
        case UploadsExhausted():
            return Refused(403, UPLOAD_RATE_TEXT)
        case _:
            return error


def both(path: str) -> tuple[str, ...]:
    """The variants of a path that clients use: with and without a final slash, each also under `/api`."""
    bare = path.rstrip("/")
    other = bare if path != bare else f"{path}/"
    return (path, other, f"/api{path}", f"/api{other}")


def expiry_fields(fields: Mapping[str, Any], *, positive: bool = False) -> tuple[str, int]:
    """The style and the value of an expiry, a day unless the fields say otherwise. Raises `FieldError`."""
    fields = without_empty_expiry(fields)
    value = int_field(fields, "expire_value", DEFAULT_VALUE, positive=positive)
    return str_field(fields, "expire_style", DEFAULT_STYLE), value


def without_empty_expiry(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, but an empty expiry counts as absent: pages send it so when nobody has filled it in."""
    return {name: value for name, value in fields.items() if not (name.startswith("expire_") and value == "")}


def int_field(fields: dict[str, Any], name: str, default: int | None = None, *, positive: bool = False) -> int:
    """An integer field of a small body, also one that is written like `1.0`. Raises `FieldError`."""
    value = fields.get(name, default)
    if value is None:
        raise FieldError("missing", ["body", name], "Field required")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise FieldError("int_type", ["body", name], "Input should be a valid integer", value)
    if isinstance(value, float) and not value.is_integer():
        raise FieldError(
            "int_from_float",
            ["body", name],
            "Input should be a valid integer, got a number with a fractional part",
            value,
        )
    try:
        number = int(_NO_FRACTION.sub("", value) if isinstance(value, str) else value)
    except ValueError:
        raise FieldError(
            "int_parsing",
            ["body", name],
            "Input should be a valid integer, unable to parse string as an integer",
            value,
        ) from None
    if abs(number) > 2**53:
        raise FieldError(
            "int_parsing_size", ["body", name], "Unable to parse input string as an integer, exceeded maximum size"
        )
    if positive and number < 1:
        raise FieldError("greater_than", ["body", name], "Input should be greater than 0", value)
    return number


def str_field(fields: dict[str, Any], name: str, default: str | None = None) -> str:
    """A text field of a small body. Raises `FieldError`."""
    value = fields.get(name, default)
    if value is None:
        raise FieldError("missing", ["body", name], "Field required")
    if not isinstance(value, str):
        raise FieldError("string_type", ["body", name], "Input should be a valid string", value)
    return value
