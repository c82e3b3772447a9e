"""FileCodeBox, the share side: public configuration, texts, and everything that is done with a code.

Sections 1 to 4, 7 and 9 of its contract. Uploads of files are the upload service's.
"""

import hashlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from common import clock
from common.addresses import limit_key
from common.dialects.filecodebox import (
    FieldError,
    FileCodeBoxRoute,
    Missed,
    Refused,
    both,
    check_open,
    envelope,
    int_field,
    ok,
    str_field,
    timestamp,
)
from common.downloads import repr_digest
from common.errors import InvalidInput, TooLarge
from common.http.callers import ignoring_errors
from common.http.downloads import download as download_answer
from common.http.forms import read_fields
from common.policy import Policy, counted_upload
from common.ranges import RANGE_LIMIT, range_count, starts_at_zero
from share_service import operations
from share_service.context import state_of
from share_service.downloads.downloading import Asked, Download, admit, password_of, start_download
from share_service.downloads.keys import address_holder
from share_service.downloads.passwords import Proof, proof_of, shown_password
from share_service.shares.model import BadKey, Share, ShareEnded, Terms, UnknownCode

VERSION = "2.5.4"
"""The version of FileCodeBox whose wire this follows."""
TEXT_LIMIT = 222 * 1024

UNKNOWN_TEXT = "文件不存在"
ENDED_TEXT = "文件已过期"
BAD_KEY_TEXT = "下载鉴权失败"
LONG_TEXT = "内容过多,建议采用文件形式"


async def config(request: Request) -> Response:
    """`POST /`: the public configuration, for the older pages."""
    return ok(_config(await state_of(request).policy.current()))


async def public_config(request: Request) -> Response:
    """`GET /api/v1/config`: the same, with what the current page wants to know besides."""
    policy = await state_of(request).policy.current()
    meta = {
        "version": VERSION,
        "api": {"legacyConfig": "/", "publicConfig": "/api/v1/config", "health": "/health"},
        "features": {
            "chunkUpload": policy.enable_chunk,
            "guestUpload": policy.open_upload,
            "adminAddressVisible": False,
            "expirationModes": policy.expire_styles,
        },
        "limits": {
            "uploadSize": policy.upload_size,
            "allowedFileTypes": policy.allowed_file_types,
            "maxSaveSeconds": policy.max_save_seconds,
            "uploadWindowMinutes": policy.upload_minute,
            "uploadWindowCount": policy.upload_count,
        },
    }
    return ok({"config": _config(policy), "meta": meta})


async def health() -> Response:
    """`GET /health`: what a client asks to see that it talks to a FileCodeBox."""
    return ok({"status": "ok", "version": VERSION, "storage": "local", "theme": "themes/2024"})


async def share_text(request: Request) -> Response:
    """`POST /share/text/`: share a text (section 3)."""
    state = state_of(request)
    policy = await state.policy.current()
    identity = await ignoring_errors(request)
    check_open(policy, request.headers.get("authorization"), identity)
    async with counted_upload(state.limiter, policy, _address(request)):
        fields = await _text_fields(request)
        text = str_field(fields, "text")
        style = str_field(fields, "expire_style", "day")
        value = int_field(fields, "expire_value", 1, positive=True)
        _check_text(text)
        now = clock.now()
        expiry = policy.expiry_of(style, value, now)
        async with state.database.transaction() as connection:
            terms = Terms(expiry.at, expiry.uses)
            code = await operations.share_text(
                connection,
                text,
                terms,
                digits_only=policy.numeric_codes,
                now=now,
                owner=identity.account_id if identity else None,
            )
    return ok({"code": code})


async def metadata(request: Request) -> Response:
    """`GET` and `POST /share/metadata/`: what a code names. Takes nothing; of a protected share, for its password."""
    state = state_of(request)
    code, password = await _code(request)
    policy = await state.policy.current()
    with _misses():
        async with state.guesses.inspection(policy, _address(request)), state.database.connection() as connection:
            share = await operations.look_up(connection, code, clock.now())
    await _check_password(request, share, password)
    return ok(_metadata(share))


async def select(request: Request) -> Response:
    """`POST /share/select/`: the text, which takes a use, or where to download the file, which takes none yet."""
    state = state_of(request)
    code, password = await _code(request)
    policy = await state.policy.current()
    now = clock.now()
    with _misses():
        async with state.guesses.redemption(policy, _address(request)), state.database.connection() as connection:
            share = await operations.look_up(connection, code, now)
        is_protected = await _check_password(request, share, password)
        if share.kind == "text":
            async with state.database.transaction() as connection:
                share = await operations.redeem_text(connection, share.id, now)
    url = None
    if share.kind == "file":
        key = state.keys.issue(share.code, now, has_password=is_protected)
        url = f"/share/download?key={key}&code={share.code}"
    return ok(_metadata(share) | {"text": share.body or url, "content": share.body, "download_url": url})


async def _check_password(request: Request, share: Share, password: str | None) -> bool:
    """Whether the share has a password, which was shown. Raises `Unauthenticated`, `RateLimited`."""
    state = state_of(request)
    try:
        hashed = await password_of(state, share)
    except UnknownCode:
        # The download will say that the file has vanished.
        hashed = None
    await state.passwords.check(share.id, hashed, proof_of(request, password))
    return hashed is not None


async def select_content(request: Request) -> Response:
    """`GET` and `HEAD /share/select/?code=`: the content itself, text or file; `GET` takes a use."""
    code = _query(request, "code").strip()
    proof = proof_of(request, shown_password(request))
    holder = address_holder(limit_key(proof.address))
    found = await _redeem(request, code, lambda now: (holder, proof, True))
    return _text_answer(found.share) if found.share.kind == "text" else _file_answer(found)


async def download(request: Request) -> Response:
    """`GET` and `HEAD /share/download?key=&code=`: the file; `GET` takes a use unless it is a resume."""
    key, code = _query(request, "key"), _query(request, "code").strip()

    def holder(now: datetime) -> tuple[bytes, Proof, bool]:
        checked = state_of(request).keys.check(key, code)
        proof = replace(proof_of(request, shown_password(request)), has_key=checked.has_password)
        return checked.holder, proof, checked.may_start(now)

    found = await _redeem(request, code, holder)
    return envelope(200, found.share.body) if found.share.kind == "text" else _file_answer(found)


async def _redeem(request: Request, code: str, holder_at: Callable[[datetime], tuple[bytes, Proof, bool]]) -> Download:
    """Download what `code` names; `holder_at` says who asks, what they show, and whether they may start a download."""
    state = state_of(request)
    ranges = request.headers.getlist("range")
    if sum(range_count(header) for header in ranges) > RANGE_LIMIT:
        raise Refused(416, f"More than {RANGE_LIMIT} ranges")
    policy = await state.policy.current()
    now = clock.now()
    with _misses():
        # Only the look-up is a guess: a client whose downloads take their time must not seem to be guessing.
        async with state.guesses.redemption(policy, _address(request)):
            holder, proof, may_start = holder_at(now)
            method = "HEAD" if request.method == "HEAD" else "GET"
            asked = Asked(
                "code", code, proof, holder, may_start, method, partial(starts_at_zero, ",".join(ranges) or None)
            )
            admitted = await admit(state, asked, now)
        return await start_download(state, asked, admitted, now)


@contextmanager
def _misses() -> Generator[None]:
    """Say in this dialect's words that a code or a key was wrong."""
    try:
        yield
    except UnknownCode:
        raise Missed(UNKNOWN_TEXT) from None
    except ShareEnded:
        raise Missed(ENDED_TEXT) from None
    except BadKey:
        raise Refused(403, BAD_KEY_TEXT) from None


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


async def _code(request: Request) -> tuple[str, str | None]:
    """The code, and the password that is shown: in a field, or in the headers."""
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
        # No form at all: what is wrong with it is that every field is missing.
        return {}


def _check_text(text: str) -> None:
    if not text:
        raise FieldError("missing", ["body", "text"], "Field required")
    if len(text.encode()) > TEXT_LIMIT:
        raise Refused(403, LONG_TEXT)
    if "\0" in text:
        # PostgreSQL keeps any character but this one.
        raise Refused(400, "Text must not contain NUL characters")


def _config(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "description": policy.description,
        "explain": policy.explain,
        "uploadSize": policy.upload_size,
        "allowedFileTypes": policy.allowed_file_types,
        "expireStyle": policy.expire_styles,
        "enableChunk": int(policy.enable_chunk),
        "openUpload": int(policy.open_upload),
        "notify_title": policy.notify_title,
        "notify_content": policy.notify_content,
        "show_admin_address": 0,
        "max_save_seconds": policy.max_save_seconds,
    }


def _metadata(share: Share) -> dict[str, Any]:
    ends = timestamp(share.expires_at)
    return {
        "code": share.code,
        "name": share.name,
        "size": share.size,
        "type": share.kind,
        "is_text": share.kind == "text",
        "created_at": timestamp(share.created_at),
        "expired_at": ends,
        "expires_at": ends,
        "expired_count": -1 if share.uses_left is None else share.uses_left,
        "used_count": share.used_count,
        "remaining_downloads": share.uses_left,
    }


def _file_answer(found: Download) -> Response:
    # This dialect never shows a file in the browser, so the type says no more than that it is bytes.
    return download_answer(
        stored_at=found.stored_at,
        size=found.share.size,
        sha256=found.sha256,
        media_type="application/octet-stream",
        name=found.share.name,
    )


def _text_answer(share: Share) -> Response:
    content = (share.body or "").encode()
    return Response(
        content,
        media_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="Text.txt"',
            "Repr-Digest": repr_digest(hashlib.sha256(content).digest()),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-store",
        },
    )


router = APIRouter(route_class=FileCodeBoxRoute, include_in_schema=False)
router.add_api_route("/", config, methods=["POST"], response_model=None)
router.add_api_route("/api/v1/config", public_config, methods=["GET"], response_model=None)
for _path in both("/health"):
    router.add_api_route(_path, health, methods=["GET"], response_model=None)
for _path in both("/share/text/"):
    router.add_api_route(_path, share_text, methods=["POST"], response_model=None)
for _path in both("/share/metadata/"):
    router.add_api_route(_path, metadata, methods=["GET", "POST"], response_model=None)
for _path in both("/share/select/"):
    router.add_api_route(_path, select, methods=["POST"], response_model=None)
    router.add_api_route(_path, select_content, methods=["GET", "HEAD"], response_model=None)
for _path in both("/share/download"):
    router.add_api_route(_path, download, methods=["GET", "HEAD"], response_model=None)
