"""MirrorAce, the file side: asking for the state of files, by the slugs of their pages (section 3 of its contract).

Uploads belong to the upload service; the pages themselves are in `share_service.pages`.
"""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from common import clock
from common.dialects.mirrorace import MirrorAceRoute, Refused, identify, read_fields, required, success
from share_service.edge import context_of, identities_of, public_url_of
from share_service.pages.model import PLACE
from share_service.pages.opening import find_pages
from share_service.shares.model import EndedFor, Share

SLUG_COUNT = 50
NULL = "null"
"""The value of fields that are not told."""

_REMOVED: dict[EndedFor | None, str] = {
    "owner": "user removed",
    "administrator": "admin removed",
    "copyright": "copyright removed",
    # Its time or its uses are over, as its owner decided.
    None: "user removed",
}


router = APIRouter(route_class=MirrorAceRoute, include_in_schema=False)


@router.post("/api/v1/file/info")
async def file_info(request: Request) -> Response:
    """The state of up to 50 files; anyone with a key may ask about any."""
    fields = await read_fields(request)
    identity = await identify(identities_of(request), fields)
    slugs = _slugs(required(fields, "files"))
    pages = await find_pages(context_of(request), identity, slugs)
    base, now = public_url_of(request), clock.now()
    found = {slug: _info(page, base, now, is_named=is_open) for slug, (page, is_open) in pages.items()}
    return success({slug: found.get(slug, _NOT_FOUND) for slug in slugs})


def _slugs(text: str) -> list[str]:
    slugs = list(dict.fromkeys(slug for part in text.split(",") if (slug := part.strip())))
    if not slugs:
        raise Refused("files is missing")
    if len(slugs) > SLUG_COUNT:
        raise Refused(f"files holds more than {SLUG_COUNT} slugs")
    return slugs


def _info(page: Share, base: str, now: datetime, *, is_named: bool) -> dict[str, Any]:
    return {
        "id": str(page.number),
        "name": page.name if is_named else NULL,
        "slug": page.code,
        "size": str(page.size) if is_named else NULL,
        "url": f"{base}{PLACE}/{page.code}",
        "status": "active" if page.is_redeemable(now) else _REMOVED[page.ended_for],
    }


_NOT_FOUND = {"id": NULL, "name": NULL, "slug": NULL, "size": NULL, "url": NULL, "status": "not found"}
