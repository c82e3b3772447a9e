"""The shapes of FileCodeBox's answers on the share side."""

import hashlib
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from common.dialects.filecodebox import ok, timestamp
from common.downloads import repr_digest
from common.http.downloads import download as download_answer
from common.policy import Policy
from share_service.downloads.downloading import Download
from share_service.health.model import Health, Status
from share_service.shares.model import Share

VERSION = "2.5.4"
"""The version of FileCodeBox whose protocol this follows."""


def configuration(policy: Policy) -> dict[str, Any]:
    """The public configuration, as the older pages read it."""
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
        "show_admin_address": int(policy.show_admin_address),
        "max_save_seconds": policy.max_save_seconds,
    }


def capabilities(policy: Policy) -> dict[str, Any]:
    """The version, addresses, features and limits that the current page reads besides."""
    return {
        "version": VERSION,
        "api": {"legacyConfig": "/", "publicConfig": "/api/v1/config", "health": "/health"},
        "features": {
            "chunkUpload": policy.enable_chunk,
            "guestUpload": policy.open_upload,
            "adminAddressVisible": policy.show_admin_address,
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


def metadata(share: Share) -> dict[str, Any]:
    """The facts about a share."""
    ends = timestamp(share.expires_at)
    return {
        "code": share.code,
        "name": share.name,
        "size": share.size,
        "type": share.content_kind,
        "is_text": share.content_kind == "text",
        "created_at": timestamp(share.created_at),
        "expired_at": ends,
        "expires_at": ends,
        "expired_count": -1 if share.uses_left is None else share.uses_left,
        "used_count": share.used_count,
        # FileCodeBox says null both without a limit and when nothing is left.
        "remaining_downloads": share.uses_left or None,
    }


def file_answer(found: Download) -> Response:
    """The file. This dialect never displays files in the browser, so their type is only "bytes"."""
    return download_answer(
        stored_at=found.stored_at,
        size=found.share.size,
        sha256=found.sha256,
        media_type="application/octet-stream",
        name=found.share.name,
        only=found.range,
    )


def text_answer(share: Share) -> Response:
    """The text, as a file; of a share without its text, the headers alone."""
    content = (share.body or "").encode()
    if share.body is None:
        told = {"Content-Length": str(share.size)}
    else:
        told = {"Repr-Digest": repr_digest(hashlib.sha256(content).digest())}
    return Response(
        content,
        media_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="Text.txt"',
            **told,
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, no-store",
        },
    )


def health_answer(health: Health) -> Response:
    """The dialect's health check, with `degraded`, the list of what does not work, unless everything does."""
    detail: dict[str, Any] = {"status": health.status, "version": VERSION, "storage": "local", "theme": "themes/2024"}
    if health.missing:
        detail["degraded"] = health.missing
    if health.status is not Status.UNAVAILABLE:
        return ok(detail)
    body = {"code": 503, "message": Status.UNAVAILABLE, "msg": Status.UNAVAILABLE, "detail": detail}
    return JSONResponse(body, 503, {"Retry-After": "5"})
