"""tus: new uploads. The policy that holds for every way of uploading decides who may begin one."""

from dataclasses import replace
from uuid import UUID

from fastapi import Request

from common.policy import counted_upload
from upload_service.content import sessions
from upload_service.content.concatenating import concatenate
from upload_service.content.model import ITEM, UploadSession
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.dialects.senders import Sender
from upload_service.dialects.tus import headers
from upload_service.dialects.tus.finishing import share_intent
from upload_service.dialects.tus.item_uploads import create_for_item
from upload_service.edge import address_of

UNNAMED = "unnamed"
NAME_KEYS = ("filename", "name")
"""The keys of the metadata that name a file: tus-js-client's and Uppy's, then older ones'."""


async def create(context: Context, request: Request, sender: Sender) -> UploadSession:
    """A new upload. Raises `InvalidInput`, `GuestsRefused`, and what the policy and `create_for_item` raise."""
    concat = headers.concatenation(request)
    ticket = headers.metadata(request).get(ITEM)
    if ticket is not None and concat != headers.PARTIAL:
        return await create_for_item(context, request, sender, ticket, concat)
    sender.check_may_upload()
    if isinstance(concat, list):
        return await _concatenate(context, request, sender, concat)
    size = headers.length(request)
    async with counted_upload(context.limiter, sender.policy, address_of(request)):
        sender.policy.check_size(size or 0)
        if concat == headers.PARTIAL:
            # It becomes no file by itself: name, type and share are those of the whole.
            new = NewUpload(UNNAMED, intent={"concat": concat, "metadata": headers.kept_metadata(request)})
        else:
            new = await _announced(context, request, sender)
        return await sessions.start_upload(context, replace(new, size=size, grows=True, owner=sender.owner))


async def _concatenate(context: Context, request: Request, sender: Sender, partials: list[UUID]) -> UploadSession:
    """The upload that others become. Its parts have been counted as uploads already."""
    new = await _announced(context, request, sender)
    intent = {**new.intent, "concat": request.headers["upload-concat"]}
    whole = replace(new, intent=intent, owner=sender.owner)
    return await concatenate(context, whole, partials, sender.identity, sender.policy.upload_size)


async def _announced(context: Context, request: Request, sender: Sender) -> NewUpload:
    """The file as the metadata announces it."""
    metadata = headers.metadata(request)
    name = next((metadata[key] for key in NAME_KEYS if metadata.get(key)), UNNAMED)
    sender.policy.check_type(name)
    intent = await share_intent(context, metadata, sender.policy, sender.owner)
    return NewUpload(name, intent={**intent, "metadata": headers.kept_metadata(request)})
