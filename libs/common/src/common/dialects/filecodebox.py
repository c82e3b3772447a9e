"""FileCodeBox: its envelope, its errors, its expiry styles and its public policy.

Text shares and retrieval live in the share service, uploads in the upload service; both answer in these shapes.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from common import errors
from common.addresses import limit_key
from common.dialects.route import DialectRoute
from common.errors import DomainError
from common.identity import Identity
from common.limits import Limiter
from common.statuses import headers_of, status_of

DEFAULT_CHUNK_SIZE = 5 * 1024 * 1024
ZONE = timezone(timedelta(hours=8))
WEEK = timedelta(days=7)
COUNT_LIFETIME = timedelta(days=1)
UNITS = {"day": timedelta(days=1), "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}
FOREVER, COUNT = "forever", "count"
STYLES = (*UNITS, FOREVER, COUNT)

RATE_TEXT = "请求次数过多，请稍后再试"
UPLOAD_RATE_TEXT = "Upload rate limit"
CLOSED_TEXT = "本站未开启游客上传，如需上传请先登录后台"
FULL_TEXT = "存储空间已达到管理员设置的容量上限"
UNAUTHORIZED_TEXT = "未授权或授权校验失败"
BUSY_TEXT = "Service temporarily unavailable"


class Refused(DomainError):
    """An answer with a status and a text of this dialect's own."""

    code = "refused"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Missed(DomainError):
    """A look-up that found nothing: no error of HTTP in this dialect, but `code` 404 in an answer of 200."""

    code = "missed"


class FieldError(DomainError):
    """A request field is missing or of the wrong type (422, with a list of errors as FastAPI writes it)."""

    code = "field"

    def __init__(self, kind: str, location: list[str | int], message: str, value: object = None) -> None:
        super().__init__(message)
        self.errors = [{"type": kind, "loc": location, "msg": message, "input": value}]


class Policy(BaseModel):
    """What an administrator allows. Sizes in bytes, times in seconds unless their name says otherwise."""

    model_config = {"frozen": True}

    name: str
    description: str
    explain: str
    notify_title: str
    notify_content: str
    upload_size: int
    allowed_file_types: list[str]
    expire_styles: list[str]
    enable_chunk: bool
    open_upload: bool
    max_save_seconds: int
    upload_count: int
    upload_minute: int
    error_count: int
    error_minute: int
    numeric_codes: bool


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a share ends: at a moment, after a number of uses, both, or never."""

    at: datetime | None
    uses: int | None


def parse_expiry(style: str, value: int, policy: Policy, now: datetime) -> Expiry:
    """What `expire_style` and `expire_value` mean. Raises `Refused` (400 for a style, 403 beyond the longest time)."""
    if style not in policy.expire_styles or style not in STYLES:
        raise Refused(400, "Invalid expiration type")
    if value < 1 and style != FOREVER:
        raise Refused(400, "Invalid expiration value")
    longest = timedelta(seconds=policy.max_save_seconds) if policy.max_save_seconds > 0 else WEEK
    if style == FOREVER:
        return Expiry(None, None)
    # Compared as numbers: a value of many digits is no valid time at all, but clearly too long.
    if style == COUNT:
        lifetime_seconds = COUNT_LIFETIME.total_seconds()
        if value > 2**31 - 1:
            raise Refused(400, "Invalid expiration value")
    else:
        lifetime_seconds = value * int(UNITS[style].total_seconds())
    if lifetime_seconds > longest.total_seconds():
        raise Refused(403, f"限制最长时间为 {_days(longest)}，可换用其他方式")
    return Expiry(now + timedelta(seconds=lifetime_seconds), value if style == COUNT else None)


@asynccontextmanager
async def counted_upload(limiter: Limiter, policy: Policy, address: str) -> AsyncGenerator[None]:
    """Count an upload from `address` against its budget; one that fails is given back.

    Once the budget is used up, it is free again a whole window after the last upload that counted (section 7).
    Raises `Refused` (403) when the budget is used up.
    """
    budget = limiter.budget("filecodebox-upload", policy.upload_count, timedelta(minutes=policy.upload_minute))
    key = limit_key(address)
    try:
        await budget.take(key)
    except errors.RateLimited:
        raise Refused(403, UPLOAD_RATE_TEXT) from None
    try:
        yield
    except BaseException:
        await budget.give_back(key)
        raise
    # The upload has been made: without the counters' store it is counted for a little less time, but it stands.
    with suppress(errors.Unavailable):
        await budget.restart(key)


def check_open(policy: Policy, authorization: str | None, identity: Identity | None) -> None:
    """Raise `Refused` unless guests may upload, or an account asks. A bad `Authorization` header is a guest's."""
    if policy.open_upload or identity:
        return
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(403, CLOSED_TEXT)
    raise Refused(401, UNAUTHORIZED_TEXT)


def _days(longest: timedelta) -> str:
    return f"{longest / UNITS['day']:g}"


def check_size(size: int, policy: Policy) -> None:
    """Raise `Refused` (403) when a file of `size` bytes is over the limit."""
    if size > policy.upload_size:
        raise oversize(policy)


def check_type(name: str, policy: Policy) -> None:
    """Raise `Refused` (403) unless the name's extension is allowed; no list, or one with `*`, allows everything."""
    allowed = {item.lower().lstrip(".") for item in policy.allowed_file_types}
    _, dot, extension = name.lower().rpartition(".")
    if allowed and "*" not in allowed and not (dot and extension in allowed):
        raise Refused(403, "不允许上传该类型文件")


def oversize(policy: Policy) -> Refused:
    return Refused(403, f"Size exceeds limit, maximum is {policy.upload_size / 1024 / 1024:.2f} MB")


def ok(detail: object) -> JSONResponse:
    """Success: HTTP 200 and the envelope."""
    return envelope(200, detail)


def envelope(code: int, detail: object) -> JSONResponse:
    """HTTP 200 with a code of the dialect; a lookup that finds nothing is `code` 404 under HTTP 200."""
    return JSONResponse({"code": code, "message": "ok", "msg": "ok", "detail": detail})


def timestamp(moment: datetime | None) -> str | None:
    """ISO 8601 with microseconds, in the zone the dialect always uses."""
    return moment.astimezone(ZONE).isoformat(timespec="microseconds") if moment else None


class FileCodeBoxRoute(DialectRoute):
    """A route whose errors look so: `{"detail": …}`."""

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


def both(path: str) -> tuple[str, ...]:
    """The path with and without its closing slash, bare and under `/api`: all of them are in use."""
    bare = path.rstrip("/")
    return (path, bare, f"/api{path}", f"/api{bare}") if path != bare else (path, f"/api{path}")


def int_field(fields: dict[str, Any], name: str, default: int | None = None, *, positive: bool = False) -> int:
    """An integer field of a small body. Raises `FieldError`."""
    value = fields.get(name, default)
    if value is None:
        raise FieldError("missing", ["body", name], "Field required")
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise FieldError("int_type", ["body", name], "Input should be a valid integer", value)
    try:
        number = int(value)
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
