"""Making shares."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.db import Connection
from common.ids import new_code, new_id
from share_service import queries
from share_service.model import CODE_ATTEMPTS, CODE_LENGTH, CodesCrowded, Kind, Terms

# The name by which the clients of FileCodeBox know a text.
TEXT_NAME = "Text"


@dataclass(frozen=True, slots=True)
class _Content:
    kind: Kind
    name: str
    size: int
    file_id: UUID | None = None
    body: str | None = None


async def share_text(connection: Connection, text: str, terms: Terms, *, digits_only: bool, now: datetime) -> str:
    """Share a text and return its code. Raises `CodesCrowded`."""
    content = _Content("text", TEXT_NAME, len(text.encode()), body=text)
    return await _insert(connection, content, None, terms, digits_only, now)


async def share_file(
    connection: Connection,
    *,
    origin: str,
    file_id: UUID,
    name: str,
    size: int,
    terms: Terms,
    digits_only: bool,
    now: datetime,
) -> str:
    """Share a file and return its code: always the same for one `origin`, also when that share has ended.

    Raises `CodesCrowded`.
    """
    existing = await queries.code_of_origin(connection, origin)
    if existing:
        return existing
    return await _insert(connection, _Content("file", name, size, file_id=file_id), origin, terms, digits_only, now)


async def _insert(
    connection: Connection, content: _Content, origin: str | None, terms: Terms, digits_only: bool, now: datetime
) -> str:
    for _ in range(CODE_ATTEMPTS):
        code = new_code(CODE_LENGTH, digits_only=digits_only)
        if await queries.insert_share(
            connection,
            id=new_id(),
            code=code,
            kind=content.kind,
            origin=origin,
            file_id=content.file_id,
            name=content.name,
            size=content.size,
            body=content.body,
            terms=terms,
            now=now,
        ):
            return code
        # Either the code is taken, or the same request got here first on another connection.
        existing = await queries.code_of_origin(connection, origin) if origin else None
        if existing:
            return existing
    raise CodesCrowded
