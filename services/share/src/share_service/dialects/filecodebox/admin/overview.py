"""The dashboard, and the latest acts of administrators."""

from collections import Counter
from pathlib import PurePosixPath
from typing import Any

from fastapi import APIRouter, Request, Response

from common import clock
from common.audit import Author, Entry
from common.dialects.filecodebox import FileCodeBoxRoute, ok, timestamp
from common.dialects.filecodebox_admin import administered, twins
from common.errors import Unavailable
from common.policy import Policy
from share_service.administration import listing
from share_service.administration.model import Filter, Order, Totals
from share_service.audit.reading import own_log
from share_service.context import Context
from share_service.dialects.filecodebox.admin.asking import query_int
from share_service.dialects.filecodebox.admin.configuration import KEYS
from share_service.dialects.filecodebox.admin.rows import BACKEND, row
from share_service.dialects.filecodebox.admin.summing import health, midnight, summary
from share_service.edge import context_of

STARTED_AT = clock.now()
RECENT, SUFFIXES, SAMPLE = 8, 5, 100
ACTIVITIES, ACTIVITIES_AT_MOST = 20, 100

_ACTIONS = {
    "share.end": "file.delete",
    "share.annotate": "file.metadata",
    "share.fetch": "file.download",
    "share.change": "file.update",
    "share.code": "file.update",
    "policy.change": "config.update",
    **dict.fromkeys(("share.extend", "share.expire", "share.limit"), "file.policy"),
}

router = APIRouter(route_class=FileCodeBoxRoute, include_in_schema=False)


@administered(router, "/dashboard", "GET")
async def dashboard(request: Request, author: Author) -> Response:
    """Sums over all shares, and the rules in force."""
    context, now = context_of(request), clock.now()
    policy = await context.policy.current()
    totals = await listing.sum_shares(context, author, midnight(now))
    newest = await listing.list_shares(context, author, Filter(), Order(), None, SAMPLE)
    suffixes = Counter(PurePosixPath(one.share.name).suffix.lower() for one in newest if one.share.file_id)
    return ok(
        {
            **_sums(totals, policy),
            # The limit is compared with it. The page expects a text here, and a number beside the list.
            "storageUsed": str(await _storage_used(context, totals)),
            # Of the newest hundred shares.
            "topSuffixes": [{"suffix": suffix, "count": count} for suffix, count in suffixes.most_common(SUFFIXES)],
            "recentFiles": [row(one, {}, now) for one in newest[:RECENT]],
            "recentActivities": [_activity(entry) for entry in await own_log(context, author, RECENT)],
        }
    )


@administered(router, "/activities", "GET")
async def activities(request: Request, author: Author) -> Response:
    """The latest acts."""
    limit = min(max(1, query_int(request, "limit", ACTIVITIES)), ACTIVITIES_AT_MOST)
    found = [_activity(entry) for entry in await own_log(context_of(request), author, limit)]
    return ok({"activities": found, "items": found, "total": len(found)})


async def _storage_used(context: Context, totals: Totals) -> int:
    """The bytes of all files, or those of the shares while the upload service does not answer."""
    try:
        return int((await context.upload.call("GET", "/internal/usage"))["bytes"])
    except Unavailable:
        return totals.size


def _sums(totals: Totals, policy: Policy) -> dict[str, Any]:
    counts = health(totals)
    return {
        **summary(totals),
        "todaySize": str(totals.today_size),
        "yesterdaySize": str(totals.yesterday_size),
        "todayCount": totals.today,
        "yesterdayCount": totals.yesterday,
        "sysUptime": int(STARTED_AT.timestamp() * 1000),
        "storageBackend": BACKEND,
        "uploadSizeLimit": policy.upload_size,
        "openUpload": int(policy.open_upload),
        "enableChunk": int(policy.enable_chunk),
        "maxSaveSeconds": policy.max_save_seconds,
        "healthSummary": counts,
    }


def _activity(entry: Entry) -> dict[str, Any]:
    """An entry of the audit log."""
    fields = sorted(KEYS.get(name, name) for name in entry.new or {}) if entry.act == "policy.change" else []
    return twins(
        {
            "id": entry.id.hex,
            "action": _ACTIONS.get(entry.act, entry.act),
            "targetType": {"share": "file", "policy": "config"}.get(entry.target_kind, entry.target_kind),
            "targetId": entry.target_id,
            "targetName": entry.target_name,
            "count": 1,
            "meta": {"fields": fields} if fields else {},
            "createdAt": timestamp(entry.at),
        }
    )
