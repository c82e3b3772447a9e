"""Files: what a verified upload is known by, until it is released."""

from dataclasses import dataclass
from uuid import UUID

from common.downloads import StoredAt
from common.errors import Gone, NotFound, NotReady
from upload_service.content.context import Context
from upload_service.content.model import File, FileState
from upload_service.content.queries import blobs, files


@dataclass(frozen=True, slots=True)
class Download:
    """Everything that an answer needs to hand a file out."""

    stored_at: StoredAt
    name: str
    size: int
    sha256: bytes
    password_hash: str | None
    """Of the file's own password."""


async def open_download(context: Context, file_id: UUID, method: str) -> Download:
    """How to fetch the file's content by `method` (GET or HEAD), always from a verified blob.

    Raises `NotFound`, also from the moment that its time is over, `NotReady` while it is being verified, `Gone` when it
    is corrupt.
    """
    file = await find_file(context, file_id)
    if file.state == FileState.PENDING:
        raise NotReady
    async with context.db.connection() as connection:
        blob = await blobs.get_blob(connection, file.blob_id) if file.blob_id else None
        fallback = await context.hooks.fallback_path(connection, blob) if blob else None
    if blob is None:
        raise Gone("the content is not what its sender said it is")
    path = context.store.signed_path(method, blob.object_key)
    return Download(StoredAt(path, fallback), file.name, blob.size, blob.sha256, file.password_hash)


async def find_file(context: Context, file_id: UUID) -> File:
    """The file, whoever asks. Raises `NotFound`, also from the moment that its time is over."""
    async with context.db.connection() as connection:
        file = await files.get_file(connection, file_id)
    if file is None:
        raise NotFound
    return file


async def release_file(context: Context, file_id: UUID) -> None:
    """Delete the file and its reference on the blob; one that is gone already is as good as released."""
    async with context.db.transaction() as connection:
        blob_id = await files.delete_file(connection, file_id)
        if blob_id is None:
            return
        # The blob's row is held from here on, and with it all wishes for its replicas.
        await blobs.drop_reference(connection, blob_id)
        condemned = await context.hooks.file_released(connection, blob_id)
    await context.hooks.after_released(condemned)
