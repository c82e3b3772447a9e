"""Files: the names of verified contents, until they are released."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from common import logging
from common.downloads import StoredAt
from common.errors import Gone, NotFound, NotReady, Unavailable
from common.store import ObjectDamaged, ObjectMissing
from upload_service.content.context import Context
from upload_service.content.model import File, FileState
from upload_service.content.queries import blobs, files

_log = logging.get(__name__)


class ContentLost(Unavailable):
    """The store does not have the content any more."""

    code = "content_lost"


class Corrupt(Gone):
    """The content is not what its sender said it is."""


@dataclass(frozen=True, slots=True)
class Download:
    """Everything that an answer needs in order to serve a file. `size` in bytes."""

    stored_at: StoredAt
    name: str
    size: int
    sha256: bytes
    password_hash: str | None
    """Of the file's own password."""


async def open_download(context: Context, file_id: UUID, method: str) -> Download:
    """How to fetch the file's content by `method` (GET or HEAD), always from a verified blob.

    Raises `NotFound`, also from the moment that its time is over, `NotReady` while it is being verified, and `Corrupt`.
    When no mirror has the content, raises `ContentLost` if the store has lost it, and `Unavailable`
    if the store does not answer.
    """
    async with context.db.connection() as connection:
        file = await files.get_content(connection, file_id)
        fallback = await context.hooks.fallback_path(connection, file.blob) if file and file.blob else None
    if file is None:
        raise NotFound
    if file.state is FileState.PENDING:
        raise NotReady
    if file.blob is None:
        raise Corrupt
    try:
        await context.store.check(file.blob.object_key, file.blob.size)
    except (ObjectMissing, ObjectDamaged) as error:
        _log.error("the store has lost a content", blob=file.blob.id.hex, error=type(error).__name__)
        if fallback is None:
            raise ContentLost from None
    except Unavailable:
        if fallback is None:
            raise
    path = context.store.gateway_path(method, file.blob.object_key)
    return Download(StoredAt(path, fallback), file.name, file.blob.size, file.blob.sha256, file.password_hash)


async def find_file(context: Context, file_id: UUID) -> File:
    """The file, for any caller. Raises `NotFound`, also from the moment that its time is over."""
    async with context.db.connection() as connection:
        file = await files.get_file(connection, file_id)
    if file is None:
        raise NotFound
    return file


async def password_of(context: Context, file_id: UUID) -> str | None:
    """The hash of the file's own password; None: it has none. Raises `NotFound`, `Corrupt`."""
    async with context.db.connection() as connection:
        found = await files.get_password(connection, file_id)
    if found is None:
        raise NotFound
    if found.state is FileState.CORRUPT:
        raise Corrupt
    return found.password_hash


async def release_files(context: Context, file_ids: Sequence[UUID]) -> None:
    """Delete the files and their references on blobs; those that are gone already are ignored."""
    async with context.db.transaction() as connection:
        blob_ids = await files.delete_files(connection, file_ids)
        # This locks the blobs' rows, and with them all wishes for their replicas.
        await blobs.drop_references(connection, blob_ids)
        condemned = await context.hooks.files_released(connection, blob_ids)
    await context.hooks.after_released(condemned)


async def release_file(context: Context, file_id: UUID) -> None:
    """Delete one file and its reference on its blob; does nothing when it is gone already."""
    await release_files(context, [file_id])
