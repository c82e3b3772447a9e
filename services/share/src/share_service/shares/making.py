"""Making shares."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common import clock
from common.db import Connection
from common.expiry import Expiry
from common.ids import new_code, new_id
from share_service.context import Context
from share_service.shares.model import (
    CODE_ATTEMPTS,
    CODE_LENGTH,
    LINK_ALPHABET,
    LINK_LENGTH,
    SLUG_ALPHABET,
    SLUG_LENGTH,
    CodesCrowded,
    ContentKind,
    Made,
    ShareKind,
    link_extension,
)
from share_service.shares.queries.made import insert_share, share_of_origin

# FileCodeBox's clients know texts by this name.
TEXT_NAME = "Text"


@dataclass(frozen=True, slots=True)
class Naming:
    """How to name a share: by a code (of digits alone if `digits_only`), a link that ends in `extension`, or a slug."""

    kind: ShareKind = "code"
    extension: str = ""
    digits_only: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a share, and its owner (None: it belongs to nobody)."""

    kind: ContentKind
    name: str
    size: int
    file_id: UUID | None = None
    body: str | None = None
    owner: UUID | None = None
    password_hash: str | None = None
    title: str | None = None
    message: str | None = None


async def share_text(context: Context, text: str, expiry: Expiry, owner: UUID | None) -> str:
    """Share a text and return its code. Raises `CodesCrowded`."""
    policy = await context.policy.current()
    content = Content("text", TEXT_NAME, len(text.encode()), body=text, owner=owner)
    naming = Naming("code", digits_only=policy.numeric_codes)
    async with context.db.connection() as connection:
        return (await insert(connection, content, None, naming, expiry, clock.now())).code


async def share_file(
    context: Context, origin: str, content: Content, kind: ShareKind, extension: str, expiry: Expiry
) -> Made:
    """Share a file. The same `origin` always gets the same share, even after that share has ended.

    Raises `CodesCrowded`.
    """
    policy = await context.policy.current()
    naming = Naming(kind, extension, digits_only=policy.numeric_codes)
    async with context.db.connection() as connection:
        return await insert(connection, content, origin, naming, expiry, clock.now())


async def insert(
    connection: Connection,
    content: Content,
    origin: str | None,
    naming: Naming,
    expiry: Expiry,
    now: datetime,
    request_digest: bytes | None = None,
) -> Made:
    """Make a share under a name that is not taken. Raises `CodesCrowded`."""
    for _ in range(CODE_ATTEMPTS):
        made = Made(new_id(), _new_name(naming), now, request_digest, is_new=True)
        if await insert_share(
            connection,
            id=made.id,
            kind=naming.kind,
            code=made.code,
            content_kind=content.kind,
            origin=origin,
            owner=content.owner,
            password_hash=content.password_hash,
            file_id=content.file_id,
            name=content.name,
            size=content.size,
            body=content.body,
            expiry=expiry,
            now=now,
            title=content.title,
            message=content.message,
            spelling=None,
            request_digest=request_digest,
        ):
            return made
        # Either the name is taken, or the same request was faster on another connection.
        existing = await share_of_origin(connection, origin) if origin else None
        if existing:
            return existing
    raise CodesCrowded


def _new_name(naming: Naming) -> str:
    match naming.kind:
        case "code":
            return new_code(CODE_LENGTH, digits_only=naming.digits_only)
        case "link":
            return _random(LINK_ALPHABET, LINK_LENGTH) + link_extension(naming.extension)
        case "page":
            return _random(SLUG_ALPHABET, SLUG_LENGTH)


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
