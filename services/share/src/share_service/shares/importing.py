"""Taking shares over from another system, with the names that their links have."""

from dataclasses import dataclass
from datetime import datetime

from common.db import Connection, Database
from common.expiry import Expiry
from share_service.shares.making import Content, Naming, insert
from share_service.shares.model import SHORTEST_CODE, Made, ShareKind, canonical, check_chosen, is_link
from share_service.shares.queries.made import set_used_count, share_of_code, share_of_origin


@dataclass(frozen=True, slots=True)
class Imported:
    """A share as the other system had it."""

    origin: str
    """Its own identity there: the same one is imported once."""
    kind: ShareKind
    code: str
    content: Content
    expiry: Expiry
    created_at: datetime
    used_count: int


async def was_imported(db: Database, origin: str) -> bool:
    """Whether the share with this origin is here already, ended or not."""
    async with db.connection() as connection:
        return await share_of_origin(connection, origin) is not None


async def is_taken(db: Database, kind: ShareKind, code: str) -> bool:
    """Whether a share has this name, or had it lately."""
    async with db.connection() as connection:
        return await share_of_code(connection, kind, canonical(kind, code)) is not None


def is_name(kind: ShareKind, code: str) -> bool:
    """Whether a share can be found by this name. Raises `CodeRefused` for a code that nobody may choose."""
    if kind == "code":
        check_chosen(code, SHORTEST_CODE)
        return True
    return is_link(code)


async def import_share(db: Database, imported: Imported) -> Made:
    """Make the share. Raises `CodeTaken`."""
    async with db.transaction() as connection:
        return await _insert(connection, imported)


async def _insert(connection: Connection, imported: Imported) -> Made:
    naming = Naming(imported.kind, chosen=imported.code)
    made = await insert(connection, imported.content, imported.origin, naming, imported.expiry, imported.created_at)
    if made.is_new:
        await set_used_count(connection, made.id, imported.used_count)
    return made
