"""Opening pages: their shares are here, their files and mirrors are known to the upload service."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from common import clock
from common.errors import Gone, NotFound
from common.identity import Identity
from common.rights import Action, Actor, permitted
from share_service.context import Context
from share_service.downloads.keys import DownloadKeys
from share_service.downloads.passwords import Proof, check_password
from share_service.pages.model import Mirror, MirrorState, Page, web_url
from share_service.pages.queries import pages_of_slugs
from share_service.shares.lookup import look_up
from share_service.shares.model import Share, UnknownCode, is_slug

# Mirrors from which the file is being removed, or has been, are not shown.
_SHOWN = ("queued", "copying", "verified", "failed")


async def open_page(context: Context, slug: str) -> Page:
    """The page with this slug. Takes no use. Raises `UnknownCode`, `ShareEnded`, `Unavailable`."""
    return await page_of(context, await look_up(context, "page", slug))


async def page_of(context: Context, share: Share) -> Page:
    """The page of this share. Raises `UnknownCode` if its file is gone, and `Unavailable`."""
    try:
        answer = await context.upload.call("POST", f"/internal/files/{share.file_id}/page")
    except (NotFound, Gone):
        raise UnknownCode from None
    own_hash = share.password_hash
    return Page(
        share=share,
        file_state=answer["state"],
        sha256=answer["sha256"],
        password_hash=answer["password_hash"] if own_hash is None else own_hash,
        mirrors=[_mirror(found) for found in answer["mirrors"] if found["state"] in _SHOWN],
    )


async def unlock(context: Context, page: Page, proof: Proof) -> str | None:
    """Check the password of a page, and give out a key to download its file; None if it has no password.

    Raises what `check_password` raises.
    """
    await check_password(context, page.share.id, page.password_hash, proof)
    if page.password_hash is None:
        return None
    return DownloadKeys(context.key_secret).issue(page.share.code, clock.now(), password_hash=page.password_hash)


async def find_pages(context: Context, identity: Identity, slugs: Sequence[str]) -> dict[str, tuple[Share, bool]]:
    """The pages with these slugs, ended or not, each with whether the account may know the name of its file.

    Unknown slugs are left out. Raises `Unavailable`.
    """
    now = clock.now()
    async with context.db.connection() as connection:
        pages = await pages_of_slugs(connection, [slug for slug in slugs if is_slug(slug)])
    open_to = await asyncio.gather(*(_is_open_to(context, identity, page, now) for page in pages))
    return {page.code: (page, is_open) for page, is_open in zip(pages, open_to, strict=True)}


async def _is_open_to(context: Context, identity: Identity, share: Share, now: datetime) -> bool:
    """Whether the account owns the page, or the page would show the file to anyone."""
    if permitted(Action.SEE, Actor(identity), share.owner):
        return True
    if share.password_hash is not None or not share.is_redeemable(now):
        return False
    try:
        return (await page_of(context, share)).password_hash is None
    except UnknownCode:
        return False


def _mirror(found: dict[str, object]) -> Mirror:
    state = cast("MirrorState", found["state"])
    url = cast("str | None", found["url"]) if state == "verified" else None
    return Mirror(
        id=cast("int", found["id"]),
        name=cast("str", found["name"]),
        state=state,
        url=web_url(url),
        bytes_done=cast("int", found["bytes_done"]),
    )
