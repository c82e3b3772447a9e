"""`/v1/pages`: what the page of a file says, for anyone who has its address."""

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel

from common import clock
from common.errors import NotFound
from common.http.callers import MaybeSignedIn
from common.http.public_url import base_url
from common.rights import Action, Actor, permitted
from share_service.context import state_of
from share_service.downloads.passwords import HeaderPasswordWrong, PasswordWrong, password_header, proof_of
from share_service.pages.opening import FileState, MirrorState, download_path, open_page
from share_service.shares.model import UnknownCode


class PageMirror(BaseModel):
    """A mirror of the file. `url`: where to fetch it there; null until its copy is verified, or where there is none.

    `bytes_done`: how much of the file has been copied there.
    """

    id: int
    name: str
    state: MirrorState
    url: str | None
    bytes_done: int


class PageView(BaseModel):
    """What a page says. `size` in bytes; `expires_at` null: never; `downloads_left` null: any number.

    `sha256`: hexadecimal; null while the file is being verified. Of a page with a password only the last two are told,
    until the password is shown.
    """

    name: str = ""
    size: int = 0
    sha256: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    downloads_left: int | None = None
    file_state: FileState = "pending"
    """pending: it is being verified, a download answers 425. corrupt: it did not arrive whole and is not served."""
    mirrors: list[PageMirror] = []
    download_url: str | None = None
    """Where to download the file from here, for half an hour where a password was shown for it; null: not at all."""
    needs_password: bool
    mine: bool


async def read_page(request: Request, identity: MaybeSignedIn, slug: str) -> PageView:
    """What a page says. A password is shown by the header `X-Share-Password`; its owner needs none.

    A page that has ended is answered 410 for a month, with what ended it.
    """
    state, now = state_of(request), clock.now()
    try:
        page = await open_page(state, slug, now)
    except UnknownCode:
        raise NotFound from None
    share, key = page.share, None
    needs_password = page.password_hash is not None
    mine = identity is not None and share.owner == identity.account_id
    password = password_header(request)
    if needs_password and (password or not permitted(Action.SEE, Actor(identity), share.owner)):
        if not password:
            return PageView(needs_password=True, mine=mine)
        try:
            await state.passwords.check(share.id, page.password_hash, proof_of(request, password))
        except PasswordWrong:
            raise HeaderPasswordWrong from None
        key = state.keys.issue(slug, now, has_password=True)
    address = f"{base_url(request, state.public_url)}{download_path(slug, key)}"
    return PageView(
        name=share.name,
        size=share.size,
        sha256=page.sha256,
        created_at=share.created_at,
        expires_at=share.expires_at,
        downloads_left=share.uses_left,
        file_state=page.file_state,
        mirrors=[
            PageMirror(id=each.id, name=each.name, state=each.state, url=each.url, bytes_done=each.bytes_done)
            for each in page.mirrors
        ],
        download_url=None if page.file_state == "corrupt" else address,
        needs_password=needs_password,
        mine=mine,
    )


router = APIRouter(prefix="/v1/pages", tags=["pages"])
router.add_api_route("/{slug}", read_page, methods=["GET"], response_model_exclude_unset=True)
