"""`/v1/codes`: what a code stands for, for anyone who has it. A wrong code counts as a guess."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from common.downloads import entity_tag, repr_digest
from common.http.downloads import SANDBOX, disposition_of, download, shown
from share_service.codes import opening
from share_service.codes.schemas import TEXT_TYPE, CodeTicket, CodeView, code_view, item_type
from share_service.downloads.downloading import Download, DownloadRequest
from share_service.downloads.media_types import is_played, preview_type
from share_service.downloads.passwords import PasswordMissing, PasswordWrong
from share_service.downloads.requests import HEADER, download_request
from share_service.edge import context_of
from share_service.sending import events
from share_service.sending.seeing import see_items
from share_service.sending.watching import Sight

TicketParameter = Annotated[str | None, Query(alias="ticket", max_length=200)]

router = APIRouter(prefix="/v1/codes", tags=["codes"])

_CHALLENGE = f'{HEADER} realm="share"'
_EVENTS: dict[str, Any] = {"response_class": Response, "responses": {200: {"content": {"text/event-stream": {}}}}}
_ZIP: dict[str, Any] = {"response_class": Response, "responses": {200: {"content": {"application/zip": {}}}}}
_FILE: dict[str, Any] = {"response_class": Response, "responses": {200: {"content": {"application/octet-stream": {}}}}}


class PasswordNeeded(PasswordMissing):
    """A password is needed."""

    code = "password_needed"
    # A `Basic` challenge would make browsers ask for the password in place of the page.
    challenge = _CHALLENGE


class PasswordRefused(PasswordWrong):
    """The password is wrong."""

    code = "password_wrong"
    challenge = _CHALLENGE


@router.get("/{code}")
async def read_code(request: Request, code: str, ticket: TicketParameter = None) -> CodeView:
    """The share that the code stands for, with the progress of each item. Takes no use.

    Show a password in the header `X-Share-Password`, or a ticket in its place.
    """
    context = context_of(request)
    with _own_errors():
        opened = await opening.open_code(context, code, _asked(request, ticket))
        return code_view(opened, await see_items(context, opened.share))


@router.get("/{code}/events", **_EVENTS)
async def watch_code(request: Request, code: str, ticket: TicketParameter = None) -> Response:
    """The same live, by Server-Sent Events: `share` at each change, `progress` while bytes arrive, `end` at its end.

    The data of `progress` is `{"items": {ID: received}}`, for those of which more has arrived.
    """
    with _own_errors():
        opened = await opening.open_code(context_of(request), code, _asked(request, ticket))

    def view(sight: Sight) -> CodeView | None:
        share = sight.share
        # A new code or another password shuts out those who came by the old one.
        if share is None or (share.code, share.password_hash) != (opened.share.code, opened.share.password_hash):
            return None
        return code_view(replace(opened, share=share), sight.items)

    return events.stream(request, opened.share.id, view)


@router.post("/{code}/tickets", status_code=201)
async def create_ticket(request: Request, code: str) -> CodeTicket:
    """A ticket for links that a browser follows, in place of the password. All that is fetched by it is one use."""
    with _own_errors():
        made = await opening.new_ticket(context_of(request), code, _asked(request, None))
    return CodeTicket(ticket=made.key, expires_at=made.expires_at)


@router.get("/{code}/items/{item_id}", **_FILE)
@router.head("/{code}/items/{item_id}", include_in_schema=False)
async def fetch_item(
    request: Request, code: str, item_id: UUID, ticket: TicketParameter = None, inline: bool = False
) -> Response:
    """An item. A GET takes a use, unless a use that this client has taken covers it; it covers each item once.

    With `inline=1` browsers show it, in a sandbox, if they can.
    """
    with _own_errors():
        asked = replace(_asked(request, ticket), plays=is_played)
        found = await opening.fetch_item(context_of(request), code, item_id, asked)
    return _text(found, item_id, inline=inline) if found.share.content_kind == "text" else _file(found, inline=inline)


@router.get("/{code}/zip", **_ZIP)
@router.head("/{code}/zip", include_in_schema=False)
async def fetch_zip(request: Request, code: str, ticket: TicketParameter = None) -> Response:
    """All items as one zip file, once all have arrived. A GET takes a use, unless it continues a download of it.

    Its length is known, and any range of it can be fetched. Its last entry is `SHA256SUMS`.
    """
    with _own_errors():
        found = await opening.fetch_archive(context_of(request), code, _asked(request, ticket))
    return download(
        stored_at=found.stored_at,
        size=found.share.size,
        sha256=found.sha256,
        media_type="application/zip",
        name=found.share.name,
        only=found.range,
    )


@contextmanager
def _own_errors() -> Generator[None]:
    """Name the errors of passwords as this API does, without a challenge that makes browsers ask."""
    try:
        yield
    except PasswordMissing:
        raise PasswordNeeded from None
    except PasswordWrong:
        raise PasswordRefused from None


def _asked(request: Request, ticket: str | None) -> DownloadRequest:
    return download_request(request, ticket)


def _file(found: Download, *, inline: bool) -> Response:
    share = found.share
    media_type = item_type(share.name)
    if not inline:
        return download(
            stored_at=found.stored_at,
            size=share.size,
            sha256=found.sha256,
            media_type=media_type,
            name=share.name,
            only=found.range,
        )
    return shown(
        stored_at=found.stored_at,
        size=share.size,
        sha256=found.sha256,
        media_type=media_type,
        name=share.name,
        preview=preview_type(share.name) is not None,
        only=found.range,
    )


def _text(found: Download, item_id: UUID, *, inline: bool) -> Response:
    """The text; of one whose uses count, a HEAD tells the length alone, and the tag says nothing of what it says."""
    share, content = found.share, (found.share.body or "").encode()
    told = {"ETag": f'"{item_id.hex}"'}
    if found.sha256 and share.uses_left is None:
        told["ETag"] = entity_tag(found.sha256)
    if found.sha256:
        told["Repr-Digest"] = repr_digest(found.sha256)
    if share.body is None:
        told["Content-Length"] = str(share.size)
    headers = {
        **told,
        "Content-Disposition": disposition_of(share.name, inline=inline),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": SANDBOX,
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=TEXT_TYPE, headers=headers)
