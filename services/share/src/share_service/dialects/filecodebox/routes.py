"""FileCodeBox, the share side: its public configuration, texts, and everything that is done with a code.

Sections 1 to 4, 7 and 9 of its contract. Uploads of files belong to the upload service.
"""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any, ParamSpec

from fastapi import APIRouter, Request, Response

from common import clock
from common.dialects.filecodebox import (
    FieldError,
    FileCodeBoxRoute,
    Missed,
    Refused,
    both,
    check_open,
    envelope,
    expiry_fields,
    ok,
    str_field,
)
from common.errors import InvalidInput, TooLarge
from common.http.callers import ignoring_errors
from common.http.forms import read_fields
from common.policy import counted_upload
from common.ranges import RANGE_LIMIT
from share_service.dialects.filecodebox.answers import (
    capabilities,
    configuration,
    file_answer,
    health_answer,
    metadata,
    text_answer,
)
from share_service.downloads.codes import collect, inspect
from share_service.downloads.downloading import start_download
from share_service.downloads.keys import BadKey
from share_service.downloads.passwords import PasswordMissing, PasswordWrong
from share_service.downloads.requests import TooManyRanges, download_request, proof_of, shown_password
from share_service.edge import address_of, context_of
from share_service.health.internal_api import health_of
from share_service.shares.making import share_text
from share_service.shares.model import ShareEnded, UnknownCode

TEXT_LIMIT = 222 * 1024

UNKNOWN_TEXT = "文件不存在"
ENDED_TEXT = "文件已过期"
BAD_KEY_TEXT = "下载鉴权失败"
PASSWORD_TEXT = "需要密码"  # noqa: S105
WRONG_PASSWORD_TEXT = "密码错误"  # noqa: S105
LONG_TEXT = "内容过多,建议采用文件形式"

Parameters = ParamSpec("Parameters")
Endpoint = Callable[Parameters, Awaitable[Response]]

router = APIRouter(route_class=FileCodeBoxRoute, include_in_schema=False)


def _at(path: str, *methods: str) -> Callable[[Endpoint[Parameters]], Endpoint[Parameters]]:
    """Serve a function at every spelling of `path` that clients use."""

    def register(endpoint: Endpoint[Parameters]) -> Endpoint[Parameters]:
        for spelling in both(path):
            router.add_api_route(spelling, endpoint, methods=list(methods))
        return endpoint

    return register


@router.post("/")
async def legacy_config(request: Request) -> Response:
    """The public configuration, for the older pages."""
    return ok(configuration(await context_of(request).policy.current()))


@router.get("/api/v1/config")
async def public_config(request: Request) -> Response:
    """The public configuration, with what the current page reads besides."""
    policy = await context_of(request).policy.current()
    return ok({"config": configuration(policy), "meta": capabilities(policy)})


@_at("/health", "GET")
async def health(request: Request) -> Response:
    """The answer by which clients recognise a FileCodeBox. If something does not work, it says so, and what."""
    return health_answer(await health_of(request))


@router.get("/robots.txt")
async def robots(request: Request) -> Response:
    """The rules for search engines. As long as nobody changed it, that is nothing, because links are secrets."""
    policy = await context_of(request).policy.current()
    return Response(policy.robots, media_type="text/plain; charset=utf-8")


@_at("/share/text/", "POST")
async def create_text(request: Request) -> Response:
    """Share a text (section 3)."""
    context = context_of(request)
    policy = await context.policy.current()
    identity = await ignoring_errors(request)
    check_open(policy, request.headers.get("authorization"), identity)
    async with counted_upload(context.limiter, policy, address_of(request)):
        fields = await _text_fields(request)
        text = str_field(fields, "text")
        style, value = expiry_fields(fields, positive=True)
        _check_text(text)
        expiry = policy.expiry_of(style, value, clock.now())
        code = await share_text(context, text, expiry, identity.account_id if identity else None)
    return ok({"code": code})


@_at("/share/metadata/", "GET", "POST")
async def read_metadata(request: Request) -> Response:
    """The facts about the share with a code; a password is needed if it has one. Takes no use."""
    code, password = await _code_and_password(request)
    with _own_errors():
        share = await inspect(context_of(request), code, proof_of(request, password))
    return ok(metadata(share))


@_at("/share/select/", "POST")
async def select(request: Request) -> Response:
    """The text, which takes a use, or the address to download the file, which takes none yet."""
    code, password = await _code_and_password(request)
    with _own_errors():
        found = await collect(context_of(request), code, proof_of(request, password))
    share, url = found.share, None
    if found.download_key is not None:
        url = f"/share/download?key={found.download_key}&code={share.code}"
    return ok(metadata(share) | {"text": share.body or url, "content": share.body, "download_url": url})


@_at("/share/select/", "GET", "HEAD")
async def select_content(request: Request) -> Response:
    """The content with the code `?code=`, text or file. A GET takes a use, unless a lease covers it."""
    code = _query(request, "code").strip()
    with _own_errors(to_range="range" in request.headers):
        found = await start_download(context_of(request), "code", code, download_request(request))
    return text_answer(found.share) if found.share.content_kind == "text" else file_answer(found)


@_at("/share/download", "GET", "HEAD")
async def download(request: Request) -> Response:
    """The content with the code `?code=`, for the key `?key=`. A GET takes a use, unless a lease covers it."""
    key, code = _query(request, "key"), _query(request, "code").strip()
    with _own_errors(to_range="range" in request.headers):
        found = await start_download(context_of(request), "code", code, download_request(request, key))
    return envelope(200, found.share.body) if found.share.content_kind == "text" else file_answer(found)


@contextmanager
def _own_errors(*, to_range: bool = False) -> Generator[None]:
    """Turn the errors of codes, keys and downloads into those of this dialect.

    It has no passwords, and its pages sign out whoever is answered 401; a challenge would make browsers ask.

    A miss has the status 200 here. The answer to a request for a range (`to_range`) has 404: a client that fetches a
    file in several ranges would save the message as a part of it.
    """
    try:
        yield
    except (UnknownCode, ShareEnded) as error:
        text = ENDED_TEXT if isinstance(error, ShareEnded) else UNKNOWN_TEXT
        raise (Refused(404, text) if to_range else Missed(text)) from None
    except BadKey:
        raise Refused(403, BAD_KEY_TEXT) from None
    except PasswordMissing:
        raise Refused(403, PASSWORD_TEXT) from None
    except PasswordWrong:
        raise Refused(403, WRONG_PASSWORD_TEXT) from None
    except TooManyRanges:
        raise Refused(416, f"More than {RANGE_LIMIT} ranges") from None


async def _code_and_password(request: Request) -> tuple[str, str | None]:
    """The code, and the password from a field or a header."""
    password = shown_password(request)
    if request.method == "GET":
        return _query(request, "code").strip(), password
    fields = await read_fields(request)
    return str_field(fields, "code").strip(), str_field(fields, "password", "") or password


def _query(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if value is None:
        raise FieldError("missing", ["query", name], "Field required")
    return value


async def _text_fields(request: Request) -> dict[str, Any]:
    try:
        return await read_fields(request)
    except TooLarge:
        raise Refused(403, LONG_TEXT) from None
    except InvalidInput:
        if "content-type" in request.headers:
            raise
        # Without any form, every field is missing.
        return {}


def _check_text(text: str) -> None:
    if not text:
        raise FieldError("missing", ["body", "text"], "Field required")
    if len(text.encode()) > TEXT_LIMIT:
        raise Refused(403, LONG_TEXT)
    if "\0" in text:
        # PostgreSQL cannot store this character.
        raise Refused(400, "Text must not contain NUL characters")
