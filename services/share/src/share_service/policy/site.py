"""`/v1/site`: everything that a client has to know about this place before anybody signs in."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from common.http.app import VERSION
from share_service.edge import context_of

ITEM_LIMIT = 1000
"""The number of files and texts that one share may hold."""

router = APIRouter(prefix="/v1/site", tags=["site"])


class SiteView(BaseModel):
    """The place. Sizes in bytes; all texts are plain text."""

    name: str
    description: str
    notices: list[str]
    accent: str
    """The colour of buttons and links: `#rrggbb`."""
    version: str
    guest_upload: bool
    """Whether files and texts may be sent without an account."""
    registration: bool
    """Whether everybody may register an account."""
    upload_size: int
    """The largest file."""
    expire_styles: list[Literal["day", "hour", "minute", "forever", "count"]]
    longest_life_seconds: int | None
    """The longest life of a share that expires after a time; null: any."""
    item_limit: int
    """The number of files and texts that one share may hold."""


@router.get("")
async def read_site(request: Request) -> SiteView:
    """The name, the looks and the limits of this place."""
    policy = await context_of(request).policy.current()
    return SiteView(
        name=policy.name,
        description=policy.description,
        notices=policy.notices,
        accent=policy.accent,
        version=VERSION,
        guest_upload=policy.open_upload,
        registration=policy.registration,
        upload_size=policy.upload_size,
        expire_styles=policy.expire_styles,
        longest_life_seconds=int(policy.longest_life.total_seconds()),
        item_limit=ITEM_LIMIT,
    )
