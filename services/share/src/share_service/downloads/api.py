"""`/v1/links`: what a link leads to, for anyone who has it."""

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel

from common.errors import NotFound
from common.http.callers import MaybeSignedIn
from common.rights import Action, Actor, permitted
from share_service.downloads.downloading import password_of
from share_service.downloads.passwords import PasswordWrong, check_password
from share_service.downloads.requests import HeaderPasswordWrong, password_header, proof_of
from share_service.edge import context_of
from share_service.shares.lookup import look_up
from share_service.shares.model import ContentKind, ShareEnded, UnknownCode

router = APIRouter(prefix="/v1/links", tags=["links"])


class LinkView(BaseModel):
    """A link. `size` in bytes; `expires_at` null: never; `downloads_left` null: any number.

    If it has a password, only the last two fields are present until the password is shown.
    """

    name: str = ""
    size: int = 0
    kind: ContentKind = "file"
    expires_at: datetime | None = None
    downloads_left: int | None = None
    needs_password: bool
    mine: bool


@router.get("/{code}", response_model_exclude_unset=True)
async def read_link(request: Request, identity: MaybeSignedIn, code: str) -> LinkView:
    """The share of a link. Show its password in the header `X-Share-Password`; its owner needs none."""
    context = context_of(request)
    try:
        share = await look_up(context, "link", code)
        hashed = await password_of(context, share)
    except (UnknownCode, ShareEnded):
        raise NotFound from None
    mine = identity is not None and share.owner == identity.account_id
    needs_password = hashed is not None
    if not permitted(Action.SEE, Actor(identity), share.owner):
        password = password_header(request)
        if needs_password and not password:
            return LinkView(needs_password=needs_password, mine=mine)
        try:
            await check_password(context, share.id, hashed, proof_of(request, password))
        except PasswordWrong:
            raise HeaderPasswordWrong from None
    return LinkView(
        name=share.name,
        size=share.size,
        kind=share.content_kind,
        expires_at=share.expires_at,
        downloads_left=share.uses_left,
        needs_password=needs_password,
        mine=mine,
    )
