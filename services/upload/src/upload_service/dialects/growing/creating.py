"""New uploads. The policy that holds for every way of uploading decides who may begin one."""

from dataclasses import replace
from uuid import UUID

from fastapi import Request

from common.http.asking import say_wanted
from common.policy import counted_piece, counted_upload
from upload_service.content import sessions
from upload_service.content.concatenating import concatenate, find_whole
from upload_service.content.model import UploadSession
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.dialects.growing.announcing import UNNAMED, Announced
from upload_service.dialects.growing.finishing import share_intent
from upload_service.dialects.growing.item_uploads import create_for_item, in_parts, start_piece
from upload_service.dialects.senders import Sender
from upload_service.edge import address_of

PIECE = "partial"
"""The value of a session's intent `concat` that says that it is a piece of another one."""


async def create(context: Context, request: Request, sender: Sender, announced: Announced) -> UploadSession:
    """A new upload. Raises `InvalidInput`, `GuestsRefused`, and what the policy and `create_for_item` raise."""
    if announced.ticket is not None:
        await say_wanted(request)
        return await create_for_item(context, sender, announced, announced.ticket)
    sender.check_may_upload()
    async with counted_upload(context.limiter, sender.policy, address_of(request)):
        sender.policy.check_size(announced.size or 0)
        new = await _new(context, sender, announced)
        await say_wanted(request)
        return await sessions.start_upload(context, in_parts(new, announced))


async def create_piece(context: Context, request: Request, sender: Sender, announced: Announced) -> UploadSession:
    """A new upload that will be a piece of another one, which is counted in its place.

    A piece of an item of a share takes room from the owner of the share, as the item's file will. Raises
    `GuestsRefused`, `NotFound` for a ticket that is none, and what `start_piece` and the policy raise.
    """
    place = None
    if announced.ticket is None:
        sender.check_may_upload()
    else:
        place = await context.shares.place_of(announced.ticket)
    async with counted_piece(context.limiter, sender.policy, address_of(request), of_upload=place is None):
        sender.policy.check_size(announced.size or 0)
        # It becomes no file by itself: name, type, share and digest are those of the whole.
        intent = {"concat": PIECE, "metadata": announced.kept}
        new = in_parts(NewUpload(UNNAMED, size=announced.size, intent=intent, owner=sender.owner), announced)
        await say_wanted(request)
        return await (start_piece(context, new, place) if place else sessions.start_upload(context, new))


async def create_whole(
    context: Context, request: Request, sender: Sender, announced: Announced, pieces: list[UUID], concat: str
) -> UploadSession:
    """The upload that others become; `concat`: how it is to be answered. Asked again, it is the same, and counts once.

    Raises `GuestsRefused`, and what `concatenate`, `create_for_item` and the policy raise.
    """
    if announced.ticket is not None:
        return await create_for_item(context, sender, announced, announced.ticket, pieces, concat)
    sender.check_may_upload()
    if earlier := await find_whole(context, pieces, sender.identity, announced.claims):
        return earlier
    async with counted_upload(context.limiter, sender.policy, address_of(request)):
        new = await _new(context, sender, announced)
        whole = replace(new, size=None, intent={**new.intent, "concat": concat})
        return await concatenate(context, whole, pieces, sender.identity, sender.policy.upload_size)


async def _new(context: Context, sender: Sender, announced: Announced) -> NewUpload:
    sender.policy.check_type(announced.name)
    intent = await share_intent(context, announced.metadata, sender.policy, sender.owner)
    intent = {**intent, "metadata": announced.kept}
    return NewUpload(announced.name, size=announced.size, claims=announced.claims, intent=intent, owner=sender.owner)
