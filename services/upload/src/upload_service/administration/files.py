"""Everybody's files: listed, renamed and ended by administrators. Each act is recorded in its own transaction."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from common.audit import Act, Author
from common.audit_log import record
from common.errors import NotFound
from common.places import Place
from upload_service.administration import queries
from upload_service.administration.model import Filter, ListedFile, Order
from upload_service.content.expiring import clear_soon
from upload_service.content.model import File, FileChange
from upload_service.content.owning import change_file
from upload_service.content.queries.files import get_file
from upload_service.context import Context


@dataclass(frozen=True, slots=True)
class Page:
    """Some files of a list, and the number of files in all of it; None: it was not counted."""

    files: list[ListedFile]
    total: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The files to which something was done, and those that are not there any more."""

    done: list[UUID]
    missing: list[UUID]


async def page_of_files(
    context: Context, author: Author, wanted: Filter, order: Order, after: Place | None, limit: int
) -> Page:
    """Up to `limit` files that come after a place; without one, with the number of all. Raises `Forbidden`."""
    author.require_administrator()
    find = queries.search_files if wanted.keyword or wanted.sha256 else queries.list_files

    async def found() -> list[ListedFile]:
        async with context.db.connection() as connection:
            files = await find(connection, wanted, order, after, limit)
            counts = await queries.replicas_of(connection, [file.blob_id for file in files if file.blob_id])
        return [ListedFile(file, counts.get(file.blob_id, {}) if file.blob_id else {}) for file in files]

    async def total() -> int | None:
        if after:
            return None
        async with context.db.connection() as connection:
            return await queries.count_files(connection, wanted)

    return Page(*await asyncio.gather(found(), total()))


async def see_file(context: Context, author: Author, file_id: UUID) -> ListedFile:
    """A file whose time is not over. Raises `NotFound`, `Forbidden`."""
    author.require_administrator()
    async with context.db.connection() as connection:
        file = await get_file(connection, file_id)
        if file is None:
            raise NotFound
        counts = await queries.replicas_of(connection, [file.blob_id]) if file.blob_id else {}
    return ListedFile(file, next(iter(counts.values()), {}))


async def rename_file(context: Context, author: Author, file_id: UUID, name: str) -> None:
    """Give a file and its shares another name. Raises `NotFound`, `Forbidden`, `InvalidInput`, `Unavailable`."""
    found = await see_file(context, author, file_id)
    await change_file(context, found.file, FileChange(name=name), author)


async def end_files(context: Context, author: Author, file_ids: Sequence[UUID]) -> Outcome:
    """Take files from everybody at once; their shares and contents are removed now or soon. Raises `Forbidden`."""
    author.require_administrator()
    async with context.db.transaction() as connection:
        ended = await queries.end_files(connection, file_ids, "administrator")
        await record(connection, author, [_ended(file) for file in ended])
    done = {file.id for file in ended}
    if done:
        await clear_soon(context, list(done))
    unique = list(dict.fromkeys(file_ids))
    return Outcome([one for one in unique if one in done], [one for one in unique if one not in done])


def _ended(file: File) -> Act:
    return Act("file.end", "file", str(file.id), file.name, old={"size": file.size})
