"""The shapes in which the pages of the administration read shares."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from common.dialects.filecodebox import timestamp
from common.dialects.filecodebox_admin import twins
from share_service.administration.model import EXPIRING, Listed
from share_service.shares.model import Share

BACKEND = "local"
"""The name of the store. The pages offer settings for each kind that they know; none means anything here."""

Digests = dict[str, str]
"""The SHA-256 of files, by their ids as 32 hex digits; files that are not verified yet have none."""


def row(listed: Listed, digests: Digests, now: datetime) -> dict[str, Any]:
    """A share in a list."""
    share = listed.share
    is_text = share.content_kind == "text"
    prefix, suffix = split_name(share)
    expired = is_over(share, now)
    # Nothing is stored in chunks here, however it was sent.
    return {
        "id": share.id.hex,
        "prefix": prefix,
        "suffix": suffix,
        "text": share.body,
        "file_path": None if share.file_id is None else f"files/{share.file_id.hex}",
        "uuid_file_name": share.file_id and share.file_id.hex,
        "upload_id": None,
        "expired_at": timestamp(share.expires_at),
        "expired_count": uses_of(share),
        **twins(
            {
                "code": share.code,
                "size": share.size,
                "name": share.name,
                "type": "text" if is_text else "file",
                "status": "expired" if expired else "active",
                "isText": is_text,
                "isExpired": expired,
                "isChunked": False,
                "remainingDownloads": share.uses_left,
                "usedCount": share.used_count,
                "createdAt": timestamp(share.created_at),
                "expiredAt": timestamp(share.expires_at),
                "fileHash": share.file_id and digests.get(share.file_id.hex),
                "statusInsights": _insights(share, now),
            }
        ),
    }


def detail(listed: Listed, digests: Digests, now: datetime) -> dict[str, Any]:
    """All about a share."""
    share = listed.share
    is_text = share.content_kind == "text"
    shown = row(listed, digests, now)
    noted_at = timestamp(listed.noted_at)
    more = {
        "filename": share.name,
        "displayName": share.name,
        "isPermanent": _is_permanent(share),
        "hasDownloadLimit": share.uses_left is not None,
        "hasExpirationTime": share.expires_at is not None,
        "textLength": len(share.body or ""),
        "canPreviewText": is_text,
        "canDownload": True,
        "storageBackend": BACKEND,
        "filePath": shown["file_path"],
        "uuidFileName": shown["uuid_file_name"],
        "uploadId": None,
        "note": listed.note,
        "tags": listed.tags,
        "metadata": {"note": listed.note, "tags": listed.tags, "updatedAt": noted_at},
        "metadataUpdatedAt": noted_at,
        "policy": {
            "expiredAt": timestamp(share.expires_at),
            "expiredCount": uses_of(share),
            "remainingDownloads": share.uses_left,
            "isExpired": shown["isExpired"],
            "isPermanent": _is_permanent(share),
        },
        "storage": {
            "backend": BACKEND,
            "filePath": shown["file_path"],
            "uuidFileName": shown["uuid_file_name"],
            "fileHash": shown["fileHash"],
            "isChunked": False,
            "uploadId": None,
        },
        "timeline": _timeline(share, now),
    }
    return {**shown, **twins(more)}


def split_name(share: Share) -> tuple[str, str]:
    """The two parts of a name that the page edits: before its extension, and the extension."""
    suffix = "" if share.content_kind == "text" else PurePosixPath(share.name).suffix
    return share.name.removesuffix(suffix), suffix


def uses_of(share: Share) -> int:
    """The downloads that are left; -1: any number."""
    return -1 if share.uses_left is None else share.uses_left


def is_over(share: Share, now: datetime) -> bool:
    """Whether it cannot be redeemed any more."""
    return not share.is_redeemable(now)


def _is_permanent(share: Share) -> bool:
    return share.expires_at is None and share.uses_left is None


def _seconds_left(share: Share, now: datetime) -> int | None:
    return None if share.expires_at is None else max(0, int((share.expires_at - now).total_seconds()))


def _insights(share: Share, now: datetime) -> dict[str, Any]:
    """The health of a share, and what could be done about it."""
    soon = share.expires_at is not None and now < share.expires_at <= now + EXPIRING
    found = {
        "expired": share.is_over(now),
        "download_limit_exhausted": share.uses_left == 0,
        "expires_soon": soon,
        "never_retrieved": share.used_count == 0,
    }
    if is_over(share, now):
        severity, state, action = "danger", "expired", "extend_or_delete"
    elif soon:
        severity, state, action = "warning", "expiring_soon", "extend_expiration"
    else:
        severity, state, action = "success", "permanent" if _is_permanent(share) else "available", "monitor"
    return {
        "severity": severity,
        "state": state,
        "nextAction": action,
        "reasons": [reason for reason, holds in found.items() if holds],
        "metrics": {
            "ageSeconds": max(0, int((now - share.created_at).total_seconds())),
            "secondsUntilExpiration": _seconds_left(share, now),
            "remainingDownloads": share.uses_left,
            "usedCount": share.used_count,
        },
    }


def _timeline(share: Share, now: datetime) -> list[dict[str, Any]]:
    """The stages of a share, in the order in which the page shows them."""
    if share.expires_at is None:
        expiration = ("unlimited", "success")
    else:
        expiration = ("expired", "danger") if share.is_over(now) else ("pending", "info")
    limit = ("unlimited", "success") if share.uses_left is None else ("active", "info")
    if share.uses_left == 0:
        limit = ("exhausted", "danger")
    retrieved = ("done", "success") if share.used_count else ("pending", "info")
    made = timestamp(share.created_at)
    return [
        _stage("created", ("done", "success"), made),
        _stage("content_ready", ("done", "success"), made, text="text" if share.content_kind == "text" else "file"),
        _stage("expiration_policy", expiration, timestamp(share.expires_at), _seconds_left(share, now)),
        _stage("download_limit", limit, None, share.uses_left),
        _stage("retrieved", retrieved, None, share.used_count),
    ]


def _stage(
    key: str, state: tuple[str, str], at: str | None, value: int | None = None, text: str | None = None
) -> dict[str, Any]:
    status, severity = state
    return {"key": key, "status": status, "severity": severity, "timestamp": at, "value": value, "detail": text}
