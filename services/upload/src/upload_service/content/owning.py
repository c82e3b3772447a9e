"""Owners' use of their files: list, read, change, end. `common.rights` says who may do what."""

from dataclasses import replace
from uuid import UUID

from common.audit import Act, Author
from common.audit_log import record
from common.errors import Conflict, Forbidden, NotFound
from common.identity import Identity
from common.names import clean_name
from common.pages import Cursor
from common.rights import Action, Actor, permitted, require
from upload_service.content.context import Context
from upload_service.content.expiring import clear_soon
from upload_service.content.model import KEEP, EndedFor, File, FileChange
from upload_service.content.queries import files, usage


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


async def file_for(context: Context, identity: Identity, file_id: UUID, action: Action) -> File:
    """The file, if `identity` may do this with it. Raises `NotFound`, `Forbidden`."""
    async with context.db.connection() as connection:
        file = await files.get_file(connection, file_id)
    if file is None:
        raise NotFound
    require(action, Actor(identity), file.owner)
    return file


async def change_file(context: Context, file: File, change: FileChange, administrator: Author | None = None) -> File:
    """The file after the change, which may have ended it. Raises `InvalidInput`, `NotFound`, `Unavailable`.

    `administrator`: the one whose act is recorded.

    Its shares are renamed first: if anything fails after that, asking again completes the change.
    """
    if change.name is not KEEP:
        name = clean_name(change.name)
        change = replace(change, name=name)
        await context.shares.rename(file.id, name)
    async with context.db.transaction() as connection:
        changed = await files.update_file(connection, file, change)
        if changed is None:
            raise NotFound
        if administrator and changed.name != file.name:
            names = {"name": file.name}, {"name": changed.name}
            await record(connection, administrator, [Act("file.change", "file", str(file.id), file.name, *names)])
        is_over = await files.get_file(connection, file.id) is None
    if is_over:
        await clear_soon(context, [file.id])
    return changed


async def end_file(context: Context, author: Author, file: File, *, for_copyright: bool = False) -> None:
    """Take the file from everybody at once; its shares and content are removed now or soon.

    An act of an administrator on somebody else's file is recorded.

    Only administrators may say `for_copyright`. Raises `Forbidden` when others do.
    """
    identity = author.identity
    is_own = identity.account_id == file.owner
    if for_copyright and not identity.is_administrator:
        raise Forbidden
    ended_for: EndedFor = "copyright" if for_copyright else "owner" if is_own else "administrator"
    async with context.db.transaction() as connection:
        await files.mark_ended(connection, file.id, ended_for)
        if not is_own:
            reason = {"reason": "copyright"} if for_copyright else None
            await record(connection, author, [Act("file.end", "file", str(file.id), file.name, new=reason)])
    await clear_soon(context, [file.id])


async def adopt_file(context: Context, file_id: UUID, owner: UUID) -> None:
    """Give a file that belongs to nobody to an account.

    Raises `NotFound`, `QuotaExceeded`, and `Conflict` when it is another's.
    """
    limits = replace(await context.limits_for(owner), place_bytes=None, place_files=None)
    async with context.db.transaction() as connection:
        file = await files.get_file(connection, file_id)
        if file is None:
            raise NotFound
        if file.owner == owner:
            return
        await usage.check_usage(connection, owner, file.size, limits)
        if not await files.set_owner(connection, file_id, owner):
            raise Conflict("the file is somebody else's")
