"""Making shares."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.db import Connection
from common.ids import new_code, new_id
from share_service.shares import queries
from share_service.shares.model import (
    CODE_ATTEMPTS,
    CODE_LENGTH,
    LINK_ALPHABET,
    LINK_LENGTH,
    SLUG_ALPHABET,
    SLUG_LENGTH,
    CodesCrowded,
    Kind,
    Made,
    Naming,
    Terms,
    link_extension,
)

# The name by which the clients of FileCodeBox know a text.
TEXT_NAME = "Text"
_CODE, _CODE_OF_DIGITS = Naming("code"), Naming("code", digits_only=True)


@dataclass(frozen=True, slots=True)
class Content:
    """What a share holds, and whose it is."""

    kind: Kind
    name: str
    size: int
    file_id: UUID | None = None
    body: str | None = None
    owner: UUID | None = None
    password_hash: str | None = None


async def share_text(
    connection: Connection,
    text: str,
    terms: Terms,
    *,
    digits_only: bool,
    now: datetime,
    owner: UUID | None = None,
) -> str:
    """Share a text and return its code. Raises `CodesCrowded`."""
    content = Content("text", TEXT_NAME, len(text.encode()), body=text, owner=owner)
    naming = _CODE_OF_DIGITS if digits_only else _CODE
    return (await insert(connection, content, None, naming, terms, now)).code


async def share_file(
    connection: Connection,
    *,
    origin: str,
    file_id: UUID,
    name: str,
    size: int,
    terms: Terms,
    naming: Naming,
    now: datetime,
    owner: UUID | None = None,
    password_hash: str | None = None,
) -> Made:
    """Share a file: the answer is always the same for one `origin`, also when that share has ended.

    Raises `CodesCrowded`.
    """
    existing = await queries.share_of_origin(connection, origin)
    if existing:
        return existing
    content = Content("file", name, size, file_id=file_id, owner=owner, password_hash=password_hash)
    return await insert(connection, content, origin, naming, terms, now)


async def insert(
    connection: Connection, content: Content, origin: str | None, naming: Naming, terms: Terms, now: datetime
) -> Made:
    """Make a share under a name that is not taken. Raises `CodesCrowded`."""
    for _ in range(CODE_ATTEMPTS):
        made = Made(new_id(), _new_name(naming), now)
        if await queries.insert_share(
            connection,
            id=made.id,
            form=naming.form,
            code=made.code,
            kind=content.kind,
            origin=origin,
            owner=content.owner,
            password_hash=content.password_hash,
            file_id=content.file_id,
            name=content.name,
            size=content.size,
            body=content.body,
            terms=terms,
            now=now,
        ):
            return made
        # Either the name is taken, or the same request got here first on another connection.
        existing = await queries.share_of_origin(connection, origin) if origin else None
        if existing:
            return existing
    raise CodesCrowded


def _new_name(naming: Naming) -> str:
    if naming.form == "code":
        return new_code(CODE_LENGTH, digits_only=naming.digits_only)
    if naming.form == "page":
        return _drawn(SLUG_ALPHABET, SLUG_LENGTH)
    return _drawn(LINK_ALPHABET, LINK_LENGTH) + link_extension(naming.extension)


def _drawn(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
