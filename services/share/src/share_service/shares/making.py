"""Making shares."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common import clock
from common.db import Connection
from common.expiry import Expiry
from common.ids import new_code, new_id
from common.statistics import count
from share_service.context import Context
from share_service.shares.model import (
    CODE_ATTEMPTS,
    CODE_LENGTH,
    LINK_ALPHABET,
    LINK_LENGTH,
    SLUG_ALPHABET,
    SLUG_LENGTH,
    WORD_COUNT,
    CodesCrowded,
    CodeTaken,
    ContentKind,
    Made,
    ShareKind,
    canonical,
    link_extension,
)
from share_service.shares.queries.made import insert_share, share_of_origin
from share_service.shares.word_list import WORDS

# FileCodeBox's clients know texts by this name.
TEXT_NAME = "Text"


@dataclass(frozen=True, slots=True)
class Naming:
    """How to name a share: by a code, a link that ends in `extension`, or a slug."""

    kind: ShareKind = "code"
    extension: str = ""
    digits_only: bool = False
    """A random code is a number."""
    length: int = CODE_LENGTH
    """The length of a random code."""
    words: bool = False
    """The code consists of words."""
    chosen: str | None = None
    """The code that the sender chose."""


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
    drop_id: UUID | None = None
    """The drop-off by which it was sent."""


async def share_text(context: Context, text: str, expiry: Expiry, owner: UUID | None) -> str:
    """Share a text and return its code. Raises `CodesCrowded`."""
    policy = await context.policy.current()
    content = Content("text", TEXT_NAME, len(text.encode()), body=text, owner=owner)
    naming = Naming("code", digits_only=policy.numeric_codes, length=policy.code_length)
    async with context.db.connection() as connection:
        return (await insert(connection, content, None, naming, expiry, clock.now())).code


async def share_file(
    context: Context, origin: str, content: Content, kind: ShareKind, extension: str, expiry: Expiry
) -> Made:
    """Share a file. The same `origin` always gets the same share, even after that share has ended.

    Raises `CodesCrowded`.
    """
    policy = await context.policy.current()
    naming = Naming(kind, extension, digits_only=policy.numeric_codes, length=policy.code_length)
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
    """Make a share under a name that is not taken. Raises `CodesCrowded`, and `CodeTaken` for a chosen code."""
    for _ in range(attempts(naming)):
        name = new_name(naming)
        made = Made(new_id(), canonical(naming.kind, name), now, request_digest, is_new=True)
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
            drop_id=content.drop_id,
            spelling=spelling(naming, name),
            request_digest=request_digest,
        ):
            count("shares_made")
            return made
        # Either the name is taken, or the same request was faster on another connection.
        existing = await share_of_origin(connection, origin) if origin else None
        if existing:
            return existing
    raise crowded(naming)


def attempts(naming: Naming) -> int:
    """The names that are tried before a share is refused."""
    return 1 if naming.chosen else CODE_ATTEMPTS


def crowded(naming: Naming) -> CodeTaken | CodesCrowded:
    """The error when all of them are taken."""
    return CodeTaken() if naming.chosen else CodesCrowded()


def spelling(naming: Naming, name: str) -> str | None:
    """A chosen code as its sender wrote it, or one of words: how it is shown, whatever the letters it is typed with."""
    return name if naming.chosen or naming.words else None


def new_name(naming: Naming) -> str:
    """A name for a share, which may be taken."""
    if naming.chosen:
        return naming.chosen
    match naming.kind:
        case "code":
            if naming.words:
                return "-".join(secrets.choice(WORDS) for _ in range(WORD_COUNT))
            return new_code(naming.length, digits_only=naming.digits_only)
        case "link":
            return _random(LINK_ALPHABET, LINK_LENGTH) + link_extension(naming.extension)
        case "page":
            return _random(SLUG_ALPHABET, SLUG_LENGTH)


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
