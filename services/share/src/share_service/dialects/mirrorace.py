"""MirrorAce, the file side: what has become of files, by the slugs of their pages (section 3 of its contract).

Uploads are the upload service's; the pages themselves are in `share_service.web`.
"""

import asyncio
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from common import clock
from common.dialects.mirrorace import MirrorAceRoute, Refused, identify, read_fields, required, success
from common.http.public_url import base_url
from common.identity import Identity
from common.rights import Action, Actor, permitted
from share_service import operations
from share_service.context import AppState, state_of
from share_service.pages.opening import PLACE, page_of
from share_service.shares.model import EndedFor, Share, UnknownCode

SLUG_COUNT = 50
NULL = "null"
"""What stands where nothing is told."""

_REMOVED: dict[EndedFor | None, str] = {
    "owner": "user removed",
    "administrator": "admin removed",
    "copyright": "copyright removed",
    # Its time or its uses are over, on terms that its owner set.
    None: "user removed",
}


async def file_info(request: Request) -> Response:
    """`POST /api/v1/file/info`: what has become of up to 50 files; anyone with a key may ask about any."""
    state, now = state_of(request), clock.now()
    fields = await read_fields(request)
    identity = await identify(state.identities, fields)
    slugs = _slugs(required(fields, "files"))
    async with state.database.connection() as connection:
        pages = await operations.pages_named(connection, slugs)
    open_to = await asyncio.gather(*(_is_open_to(state, identity, page, now) for page in pages.values()))
    named = dict(zip(pages, open_to, strict=True))
    base = base_url(request, state.public_url)
    found = {slug: _info(page, base, now, is_named=named[slug]) for slug, page in pages.items()}
    return success({slug: found.get(slug, _NOT_FOUND) for slug in slugs})


def _slugs(text: str) -> list[str]:
    slugs = list(dict.fromkeys(slug for part in text.split(",") if (slug := part.strip())))
    if not slugs:
        raise Refused("files is missing")
    if len(slugs) > SLUG_COUNT:
        raise Refused(f"files holds more than {SLUG_COUNT} slugs")
    return slugs


async def _is_open_to(state: AppState, identity: Identity, page: Share, now: datetime) -> bool:
    """Whether the account may know what the file is called: it is its own, or the page would show it to anyone."""
    if permitted(Action.SEE, Actor(identity), page.owner):
        return True
    if page.password_hash is not None or not page.is_redeemable(now):
        return False
    try:
        return (await page_of(state, page)).password_hash is None
    except UnknownCode:
        return False


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

router = APIRouter(route_class=MirrorAceRoute, include_in_schema=False)
router.add_api_route("/api/v1/file/info", file_info, methods=["POST"], response_model=None)
