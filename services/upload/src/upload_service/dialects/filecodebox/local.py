"""FileCodeBox's administration: the files that lie in a folder of the server (its 2023 page)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import closing
from typing import BinaryIO

from fastapi import APIRouter, Request, Response

from common import clock
from common.audit import Act, Author
from common.audit_log import record
from common.dialects.filecodebox import ZONE, FileCodeBoxRoute, Refused, expiry_fields, ok, str_field
from common.dialects.filecodebox_admin import administered, object_of
from common.errors import NotFound
from common.names import clean_name
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.dialects.filecodebox.local_folder import LocalFolder, NameLeavesFolder
from upload_service.dialects.form_upload import FormUpload
from upload_service.edge import context_of

BLOCK = 1024 * 1024
BAD_NAME_TEXT = "非法文件名"
UNKNOWN_TEXT = "文件不存在"
DELETED_TEXT = "删除成功"

router = APIRouter(route_class=FileCodeBoxRoute, include_in_schema=False)


@administered(router, "/local/lists", "GET")
async def list_files(request: Request, author: Author) -> Response:
    """The files in the folder."""
    files = await asyncio.to_thread(_folder(request).files)
    moments = [file.changed_at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S") for file in files]
    return ok(
        [{"file": file.name, "ctime": moment, "size": file.size} for file, moment in zip(files, moments, strict=True)]
    )


@administered(router, "/local/delete", "DELETE")
async def delete_file(request: Request, author: Author) -> Response:
    """Delete a file from the folder."""
    name = str_field(await object_of(request), "filename")
    try:
        async with context_of(request, Context).db.transaction() as connection:
            await asyncio.to_thread(_folder(request).delete, name)
            await record(connection, author, [Act("local_file.delete", "local_file", name, name)])
    except NameLeavesFolder:
        raise Refused(400, BAD_NAME_TEXT) from None
    except NotFound:
        raise Refused(404, UNKNOWN_TEXT) from None
    return ok(DELETED_TEXT)


@administered(router, "/local/share", "POST")
async def share_file(request: Request, author: Author) -> Response:
    """Share a copy of a file in the folder. It may be larger than what others may upload."""
    context, fields = context_of(request, Context), await object_of(request)
    name = str_field(fields, "filename")
    policy = await context.shares.policy()
    expiry = policy.expiry_of(*expiry_fields(fields, positive=True), clock.now())
    try:
        file, size = await asyncio.to_thread(_folder(request).open, name)
    except NameLeavesFolder:
        raise Refused(400, BAD_NAME_TEXT) from None
    except NotFound:
        raise Refused(404, UNKNOWN_TEXT) from None
    with closing(file):
        async with FormUpload(context) as upload:
            await upload.begin(NewUpload(clean_name(name), size, owner=author.identity.account_id))
            await upload.store(_Content(file), size)
            async with context.db.connection() as connection:
                await record(connection, author, [Act("local_file.share", "local_file", name, name)])
            session, shared = await upload.share(expiry)
    return ok({"code": shared.code, "name": session.file_name})


class _Content:
    """The content of an open file, as a source of a stream."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def certain(self) -> int:
        return 0

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        while block := await asyncio.to_thread(self._file.read, BLOCK):
            yield block


def _folder(request: Request) -> LocalFolder:
    return LocalFolder(context_of(request, Context).local_folder)
