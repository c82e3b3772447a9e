"""`/v1/links`: what a link names, for anyone who has it."""

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel

from common import clock
from common.errors import NotFound
from common.http.callers import MaybeSignedIn
from common.rights import Action, Actor, permitted
from share_service import operations
from share_service.context import state_of
from share_service.downloads.downloading import password_of
from share_service.downloads.passwords import HeaderPasswordWrong, PasswordWrong, password_header, proof_of
from share_service.shares.model import Kind, ShareEnded, UnknownCode


class LinkView(BaseModel):
    """What a link names. `size` in bytes; `expires_at` null: never; `downloads_left` null: any number.

    Of a share with a password only the last two are told, until the password is shown.
    """

    name: str = ""
    size: int = 0
    kind: Kind = "file"
    expires_at: datetime | None = None
    downloads_left: int | None = None
    needs_password: bool
    mine: bool


async def read_link(request: Request, identity: MaybeSignedIn, code: str) -> LinkView:
    """What a link names. A password is shown by the header `X-Share-Password`; its owner needs none."""
    state = state_of(request)
    try:
        async with state.database.connection() as connection:
            share = await operations.look_up(connection, code, clock.now(), "link")
        hashed = await password_of(state, share)
    except (UnknownCode, ShareEnded):
        raise NotFound from None
    mine = identity is not None and share.owner == identity.account_id
    closed = LinkView(needs_password=hashed is not None, mine=mine)
    if not permitted(Action.SEE, Actor(identity), share.owner):
        password = password_header(request)
        if hashed is not None and not password:
            return closed
        try:
            await state.passwords.check(share.id, hashed, proof_of(request, password))
        except PasswordWrong:
            raise HeaderPasswordWrong from None
    return LinkView(
        name=share.name,
        size=share.size,
        kind=share.kind,
        expires_at=share.expires_at,
        downloads_left=share.uses_left,
        needs_password=closed.needs_password,
        mine=mine,
    )


router = APIRouter(prefix="/v1/links", tags=["links"])
router.add_api_route("/{code}", read_link, methods=["GET"], response_model_exclude_unset=True)
