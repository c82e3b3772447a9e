"""Lists and details of shares, previews of texts, and downloads."""

import re
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request, Response

from common import clock
from common.audit import Author
from common.dialects.filecodebox import FileCodeBoxRoute, Refused, ok
from common.dialects.filecodebox_admin import administered, object_of, twins
from common.downloads import shortened
from common.errors import NotFound
from common.places import lowered
from share_service.administration import listing
from share_service.administration.fetching import fetch
from share_service.administration.listing import Page
from share_service.administration.model import Filter, Health, Listed, Order, SortKey
from share_service.context import Context
from share_service.dialects.filecodebox.admin.asking import UNKNOWN_TEXT, id_of, query_int
from share_service.dialects.filecodebox.admin.digests import digests_of, files_of_digest
from share_service.dialects.filecodebox.admin.rows import detail, row
from share_service.dialects.filecodebox.admin.summing import midnight, summary
from share_service.dialects.filecodebox.answers import file_answer
from share_service.edge import context_of
from share_service.shares.model import ContentKind, UnknownCode

PAGE_SIZE, PAGE_LIMIT = 10, 100
PREVIEW_LENGTH = 20_000
NO_PREVIEW_TEXT = "仅文本分享支持预览"

_SORTS: dict[str, SortKey] = {
    "created_at": "created_at",
    "expired_at": "expires_at",
    "name": "name",
    "size": "size",
    "used_count": "downloads",
    "code": "code",
}
_HEALTH: dict[str, Health] = {
    "attention": "attention",
    "danger": "danger",
    "expired": "danger",
    "warning": "warning",
    "expiring_soon": "warning",
    "never_retrieved": "never_retrieved",
    "healthy": "healthy",
    "permanent": "permanent",
}
_KINDS: dict[str, list[ContentKind]] = {"text": ["text"], "file": ["file", "items"]}
_DIGEST = re.compile(r"[0-9a-f]{64}")

router = APIRouter(route_class=FileCodeBoxRoute, include_in_schema=False)


@administered(router, "/file/list", "GET")
async def list_files(request: Request, author: Author) -> Response:
    """A page of shares, and sums over all of them."""
    context, now = context_of(request), clock.now()
    page = max(1, query_int(request, "page", 1))
    size = min(max(1, query_int(request, "size", PAGE_SIZE)), PAGE_LIMIT)
    query = {name: value for name, value in request.query_params.items() if value not in ("", "all")}
    order = Order(_SORTS.get(query.get("sortBy", ""), "created_at"), query.get("sortOrder", "").lower() != "asc")
    found = Page([], 0)
    # Nothing is stored in chunks or without content here, so no share is found by that.
    if query.get("type") != "chunked" and query.get("health") != "storage_issue":
        wanted = await _filter(context, query)
        found = await listing.page_of_shares(context, author, wanted, order, (page - 1) * size, size)
    digests = await digests_of(context, found.shares)
    totals = await listing.sum_shares(context, author, midnight(now))
    return ok(
        {
            "page": page,
            "size": size,
            "total": found.total,
            "data": [row(one, digests, now) for one in found.shares],
            "summary": summary(totals),
        }
    )


@administered(router, "/file/detail", "GET", "POST")
async def read_file(request: Request, author: Author) -> Response:
    """All about one share."""
    fields = dict(request.query_params) if request.method == "GET" else await object_of(request)
    where = "query" if request.method == "GET" else "body"
    return ok(await whole_detail(context_of(request), author, id_of(fields, where=where)))


@administered(router, "/file/preview", "GET")
async def preview(request: Request, author: Author) -> Response:
    """The beginning of a text."""
    length = max(1, query_int(request, "maxChars", PREVIEW_LENGTH))
    share_id = id_of(request.query_params, where="query")
    if (await seen(context_of(request), author, share_id)).share.content_kind != "text":
        raise Refused(400, NO_PREVIEW_TEXT)
    text = (await fetch(context_of(request), author, share_id)).share.body or ""
    shown = {"content": text[:length], "length": len(text), "previewLength": min(length, len(text))}
    return ok(twins({**shown, "truncated": len(text) > length, "maxChars": length}))


@administered(router, "/file/download", "GET", "HEAD")
async def download(request: Request, author: Author) -> Response:
    """The file, or the envelope with the text."""
    context, share_id = context_of(request), id_of(request.query_params, where="query")
    try:
        found = await fetch(context, author, share_id, "HEAD" if request.method == "HEAD" else "GET")
    except (NotFound, UnknownCode):
        raise Refused(404, UNKNOWN_TEXT) from None
    if found.share.content_kind == "text":
        return ok(found.share.body)
    answer = file_answer(found)
    # The older page takes what follows the first equals sign and two quotes for the name.
    plain = answer.headers["content-disposition"].partition("; ")[2].partition("; filename*=")[0]
    named = f"filename*=UTF-8''{quote(shortened(found.share.name), safe='')}"
    answer.headers["content-disposition"] = f"attachment; {named}; {plain}"
    return answer


async def seen(context: Context, author: Author, share_id: UUID) -> Listed:
    """The share with this id. Raises `Refused`."""
    try:
        return await listing.see_share(context, author, share_id)
    except NotFound:
        raise Refused(404, UNKNOWN_TEXT) from None


async def whole_detail(context: Context, author: Author, share_id: UUID) -> dict[str, Any]:
    """All about the share with this id. Raises `Refused`."""
    found = await seen(context, author, share_id)
    return detail(found, await digests_of(context, [found]), clock.now())


async def _filter(context: Context, query: dict[str, str]) -> Filter:
    keyword = lowered(query.get("keyword", "").strip()).replace("\0", "")
    status, kind = query.get("status"), query.get("type")
    files = None
    if _DIGEST.fullmatch(keyword):
        files = [UUID(file_id) for file_id in await files_of_digest(context, keyword)]
    return Filter(
        keyword=None if files is not None else keyword or None,
        status=status if status in ("active", "expired") else None,
        health=_HEALTH.get(query.get("health", "")),
        content_kinds=_KINDS.get(kind or ""),
        files=files,
    )
