"""`/v1/shares`: making, seeing, changing and ending shares, for accounts, and for senders who have the share's key."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from common import clock
from common.addresses import limit_key
from common.errors import Unavailable
from common.expiry import Expiry
from common.http.authors import author_of
from common.http.bodies import read_body
from common.http.callers import MaybeSignedIn
from common.http.json_bodies import documented, documented_as, parse_json, parse_model, read_model, schema_of
from common.identities import credential_name
from common.identity import CredentialsMissing, Identity
from common.policy import counted_upload
from common.repeatable import Repeatable
from common.rights import Action, Actor, permitted
from share_service.context import Context
from share_service.downloads.guesses import counted_choice
from share_service.edge import address_of, context_of
from share_service.items.tickets import SenderKeys
from share_service.sending import changing, creating, events
from share_service.sending.listening import Listener
from share_service.sending.schemas import ItemsRequest, SendRequest, SentItem, SentView
from share_service.sending.seeing import SeenItem, is_complete, is_sender, see_items
from share_service.sending.watching import Sight
from share_service.shares import owning
from share_service.shares.api import ShareChanges, ShareRequest, view
from share_service.shares.model import Share, UnknownCode
from share_service.shares.owning import Changes, NewShare

BODY_LIMIT = 4 * 1024 * 1024
"""The most bytes of a request with items."""

ShareKey = Annotated[str | None, Header(alias="Share-Key", max_length=200)]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]

router = APIRouter(prefix="/v1/shares", tags=["shares"])

_EVENTS: dict[str, Any] = {"response_class": Response, "responses": {200: {"content": {"text/event-stream": {}}}}}
_EITHER: dict[str, Any] = {
    **schema_of(SendRequest),
    "description": f"{SendRequest.__doc__} Or, with `file_id`: {ShareRequest.__doc__}",
    "properties": {**schema_of(ShareRequest)["properties"], **schema_of(SendRequest)["properties"]},
    "required": [],
}


@router.post("", status_code=201, openapi_extra=documented_as(_EITHER))
async def create_share(request: Request, identity: MaybeSignedIn, idempotency_key: IdempotencyKey = None) -> SentView:
    """Share files, texts, or both under one code, which exists before the first byte of a file arrives.

    Each item of a file to come has a ticket, with which its content is sent. With `file_id` in place of `items`, share
    a file again that the account shares already. The same request with the same `Idempotency-Key` makes one share.
    """
    context = context_of(request)
    body = await read_body(request, BODY_LIMIT)
    sent = parse_json(body)
    if isinstance(sent, dict) and "items" not in sent:
        if identity is None:
            raise CredentialsMissing
        wanted = parse_model(body, ShareRequest)
        expiry = Expiry(wanted.expires_at, wanted.downloads)
        new = NewShare(wanted.file_id, wanted.form, expiry, wanted.name, wanted.password)
        return await view_of(request, Actor(identity), await owning.share_again(context, identity, new))
    asked = parse_model(body, SendRequest)
    repeatable = None
    if idempotency_key is not None:
        sender = identity.account_id.hex if identity else limit_key(address_of(request))
        repeatable = Repeatable.of(sender, idempotency_key, body)
    share = await _create(context, request, identity, asked, repeatable)
    return await view_of(request, Actor(identity, is_sender=True), share)


async def _create(
    context: Context, request: Request, identity: Identity | None, asked: SendRequest, repeatable: Repeatable | None
) -> Share:
    policy, address = await context.policy.current(), address_of(request)
    announced = [item.announced() for item in asked.items]
    async with counted_choice(context, policy, address, asked.code), counted_upload(context.limiter, policy, address):
        return await creating.create_share(context, identity, announced, asked.terms(), repeatable)


@router.get("/{share_id}")
async def read_share(request: Request, identity: MaybeSignedIn, share_id: UUID, share_key: ShareKey = None) -> SentView:
    """A share of the account, or the one whose key is in the header `Share-Key`."""
    actor = await _actor(request, identity, share_id, share_key)
    return await view_of(request, actor, await owning.see_share(context_of(request), actor, share_id))


@router.get("/{share_id}/events", **_EVENTS)
async def watch_share(
    request: Request, identity: MaybeSignedIn, share_id: UUID, share_key: ShareKey = None
) -> Response:
    """The same live, by Server-Sent Events: `share` at each change, `progress` while bytes arrive, `end` at its end."""
    actor = await _actor(request, identity, share_id, share_key)
    await owning.see_share(context_of(request), actor, share_id)
    listener = Listener()
    if identity is not None and not actor.is_sender:
        listener = Listener(identity, credential_name(identity, request.headers["authorization"]))

    def look(sight: Sight) -> SentView | None:
        now = replace(actor, identity=listener.identity)
        if sight.share is None or not permitted(Action.SEE, now, sight.share.owner):
            return None
        return _sent_view(request, now, sight.share, sight.items)

    return events.stream(request, share_id, look, listener)


@router.patch("/{share_id}", openapi_extra=documented(ShareChanges))
async def edit_share(request: Request, identity: MaybeSignedIn, share_id: UUID, share_key: ShareKey = None) -> SentView:
    """Change a share that has not ended. An `expires_at` in the past ends it."""
    actor = await _actor(request, identity, share_id, share_key)
    wanted = await read_model(request, ShareChanges)
    given, changes = wanted.model_fields_set, Changes()
    if "name" in given:
        changes["name"] = wanted.name
    if "title" in given:
        changes["title"] = wanted.title
    if "message" in given:
        changes["message"] = wanted.message
    if "code" in given:
        changes["code"] = wanted.code
    if "expires_at" in given:
        changes["expires_at"] = wanted.expires_at
    if "password" in given:
        changes["password"] = wanted.password
    if "downloads_left" in given:
        changes["uses_left"] = wanted.downloads_left
    context = context_of(request)
    async with counted_choice(context, await context.policy.current(), address_of(request), changes.get("code")):
        share = await changing.change_terms(context, actor, share_id, changes)
    return await view_of(request, actor, share)


@router.delete("/{share_id}", status_code=204)
async def end_share(
    request: Request,
    identity: MaybeSignedIn,
    share_id: UUID,
    reason: Literal["copyright"] | None = None,
    share_key: ShareKey = None,
) -> Response:
    """End a share. Its unfinished uploads are aborted, and its files are deleted when no other share serves them.

    Only administrators may give a `reason`.
    """
    actor = await _actor(request, identity, share_id, share_key)
    author = author_of(request, identity) if identity else None
    copyright_ = reason == "copyright"
    await owning.withdraw_share(context_of(request), actor, share_id, author=author, for_copyright=copyright_)
    return Response(status_code=204)


@router.post("/{share_id}/items", status_code=201, openapi_extra=documented(ItemsRequest))
async def add_items(request: Request, identity: MaybeSignedIn, share_id: UUID, share_key: ShareKey = None) -> SentView:
    """Add items to a share that has not ended. They are the last ones of the answer."""
    actor = await _actor(request, identity, share_id, share_key)
    asked = await read_model(request, ItemsRequest, BODY_LIMIT)
    announced = [item.announced() for item in asked.items]
    context = context_of(request)
    async with counted_upload(context.limiter, await context.policy.current(), address_of(request)):
        share = await changing.add_to_share(context, actor, identity, share_id, announced)
    return await view_of(request, actor, share)


@router.delete("/{share_id}/items/{item_id}", status_code=204)
async def remove_item(
    request: Request, identity: MaybeSignedIn, share_id: UUID, item_id: UUID, share_key: ShareKey = None
) -> Response:
    """Remove an item, and abort its upload. A share ends with its last item."""
    actor = await _actor(request, identity, share_id, share_key)
    await changing.remove_from_share(context_of(request), actor, share_id, item_id)
    return Response(status_code=204)


async def _actor(request: Request, identity: Identity | None, share_id: UUID, key: str | None) -> Actor:
    """The caller. Raises `CredentialsMissing` for one who shows neither a credential nor a key."""
    if identity is None and key is None:
        raise CredentialsMissing
    return Actor(identity, is_sender=await is_sender(context_of(request), identity, share_id, key))


async def view_of(request: Request, actor: Actor, share: Share) -> SentView:
    """A share as its sender sees it."""
    items: list[SeenItem] = []
    if share.is_resumable(clock.now()):
        # The change is done, even if upload cannot tell about the file of a share without items.
        with suppress(UnknownCode, Unavailable):
            items = await see_items(context_of(request), share)
    return _sent_view(request, actor, share, items)


def _sent_view(request: Request, actor: Actor, share: Share, items: Sequence[SeenItem]) -> SentView:
    may_edit = permitted(Action.EDIT, actor, share.owner)
    keys = SenderKeys(context_of(request).key_secret) if may_edit else None
    # Administrators see that there is a text. What it says is its owner's.
    is_readable = actor.is_sender or permitted(Action.FETCH, actor, share.owner)
    return SentView(
        **view(request, share).model_dump(),
        key=keys.key(share.id) if keys else None,
        used_count=share.used_count,
        complete=is_complete(items),
        items=[_item(keys, share, item, is_readable=is_readable) for item in items],
    )


def _item(keys: SenderKeys | None, share: Share, item: SeenItem, *, is_readable: bool) -> SentItem:
    is_file = share.content_kind == "items" and item.kind == "file"
    is_to_come = is_file and item.state in ("waiting", "sending", "failed")
    return SentItem(
        id=item.id,
        name=item.name,
        size=item.size,
        state=item.state,
        received=item.received,
        sha256=item.sha256.hex() if item.sha256 else None,
        text=item.body if is_readable else None,
        upload=keys.ticket(item.id) if keys and is_to_come else None,
        # As its ticket: with both, what was begun on one device is ended on another.
        upload_id=item.session_id if keys and is_to_come else None,
    )
