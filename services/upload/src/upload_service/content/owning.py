"""What an owner does with files: list, look, change, delete. `common.rights` says who may."""

from uuid import UUID

from common.errors import Conflict, Forbidden, NotFound
from common.identity import Identity
from common.pages import Cursor
from common.rights import Action, Actor, permitted, require
from upload_service.content.context import Context
from upload_service.content.expiring import clear_soon
from upload_service.content.model import KEEP, EndedFor, File, FileChange, check_name
from upload_service.content.queries import files


async def list_files(
    context: Context, identity: Identity, owner: UUID, after: Cursor | None, limit: int
) -> tuple[list[File], Cursor | None]:
    """A page of an account's files, the newest first, and where the next one begins, if there is one.

    Raises `Forbidden` unless `identity` may see them.
    """
    if not permitted(Action.SEE, Actor(identity), owner):
        raise Forbidden
    async with context.db.connection() as connection:
        found = await files.files_of(connection, owner, after and (after.created_at, after.id), limit + 1)
    page = found[:limit]
    return page, Cursor(page[-1].created_at, page[-1].id) if len(found) > limit else None


async def find_file(context: Context, identity: Identity, file_id: UUID, action: Action) -> File:
    """The file, to do this with it. Raises `NotFound`, `Forbidden`."""
    async with context.db.connection() as connection:
        file = await files.get_file(connection, file_id)
    if file is None:
        raise NotFound
    require(action, Actor(identity), file.owner)
    return file


async def change_file(context: Context, file: File, change: FileChange) -> File:
    """The file after the change, which may have ended it. Raises `InvalidInput`, `NotFound`, `Unavailable`.

    Its shares are renamed first: should anything fail after that, being asked again mends it.
    """
    if change.name is not KEEP:
        check_name(change.name)
        await context.shares.rename(file.id, change.name)
    async with context.db.connection() as connection:
        changed = await files.change_file(connection, file, change)
        if changed is None:
            raise NotFound
        is_over = await files.get_file(connection, file.id) is None
    if is_over:
        await clear_soon(context, file.id)
    return changed


async def delete_file(context: Context, identity: Identity, file: File, *, for_copyright: bool = False) -> None:
    """Take the file from everybody; what it leaves is cleared away now, or soon.

    `for_copyright` is for an administrator to say. Raises `Forbidden` when its owner does.
    """
    is_own = identity.account_id == file.owner
    if for_copyright and not identity.is_administrator:
        raise Forbidden
    ended_for: EndedFor = "copyright" if for_copyright else "owner" if is_own else "administrator"
    async with context.db.connection() as connection:
        await files.end_file(connection, file.id, ended_for)
    await clear_soon(context, file.id)


async def adopt_file(context: Context, file_id: UUID, owner: UUID) -> None:
    """Make nobody's file an account's. Raises `NotFound`, and `Conflict` when it is another account's."""
    async with context.db.connection() as connection:
        if await files.adopt_file(connection, file_id, owner):
            return
        if await files.get_file(connection, file_id) is None:
            raise NotFound
    raise Conflict("the file is somebody else's")
