"""`/v1/pages`: the content of a page, for anyone who has its address."""

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel

from common.errors import NotFound
from common.http.callers import MaybeSignedIn
from common.rights import Action, Actor, permitted
from share_service.downloads.passwords import PasswordWrong
from share_service.downloads.requests import HeaderPasswordWrong, password_header, proof_of
from share_service.edge import context_of, public_url_of
from share_service.pages.model import FileState, MirrorState, download_path
from share_service.pages.opening import open_page, unlock
from share_service.shares.model import UnknownCode

router = APIRouter(prefix="/v1/pages", tags=["pages"])


class PageMirror(BaseModel):
    """A mirror of the file. `url`: of the file there; null until the copy is verified, or if it has no web address.

    `bytes_done`: how much of the file has been copied there.
    """

    id: int
    name: str
    state: MirrorState
    url: str | None
    bytes_done: int


class PageView(BaseModel):
    """A page. `size` in bytes; `expires_at` null: never; `downloads_left` null: any number.

    `sha256`: hexadecimal; null while the file is being verified. If the page has a password, only the last two fields
    are present until the password is shown.
    """

    name: str = ""
    size: int = 0
    sha256: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None
    downloads_left: int | None = None
    file_state: FileState = "pending"
    """pending: the file is being verified, downloads answer 425. corrupt: it arrived damaged and is not served."""
    mirrors: list[PageMirror] = []
    download_url: str | None = None
    """The URL of the download, valid for half an hour if a password was shown for it; null if the file is corrupt."""
    needs_password: bool
    mine: bool


@router.get("/{slug}", response_model_exclude_unset=True)
async def read_page(request: Request, identity: MaybeSignedIn, slug: str) -> PageView:
    """The content of a page. Show its password in the header `X-Share-Password`; its owner needs none.

    For a month after a page has ended the answer is 410, with the reason.
    """
    context = context_of(request)
    try:
        page = await open_page(context, slug)
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
            key = await unlock(context, page, proof_of(request, password))
        except PasswordWrong:
            raise HeaderPasswordWrong from None
    address = f"{public_url_of(request)}{download_path(slug, key)}"
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
