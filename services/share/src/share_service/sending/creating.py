"""Making shares of items. The code exists before the first byte of a file arrives."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from common import clock
from common.db import Connection
from common.errors import Forbidden, NotFound, NotReady
from common.expiry import Expiry, usual_style
from common.identity import Identity
from common.ids import new_id
from common.policy import Policy
from common.repeatable import IdempotencyKeyReused, Repeatable
from share_service.context import Context
from share_service.items.model import ABANDONED, NewItem
from share_service.items.queries import held as items_held
from share_service.sending.model import (
    Announced,
    GuestsRefused,
    Terms,
    check_sizes,
    to_come,
)
from share_service.shares.making import Content, Naming, insert
from share_service.shares.model import Made, Share, check_chosen
from share_service.shares.queries import ending, owned
from share_service.shares.queries.made import files_held, share_of_id, share_of_origin

NAMELESS = "files"


async def create_share(
    context: Context,
    identity: Identity | None,
    announced: Sequence[Announced],
    terms: Terms,
    repeatable: Repeatable | None,
) -> Share:
    """Make a share of items under a new code; the same request again gets the same share.

    Raises `GuestsRefused`, `IdempotencyKeyReused`, `InvalidInput`, `NotFound` and `NotReady` for a file of the account,
    `CodeRefused`, `CodeTaken`, `CodesCrowded`, and what the policy raises.
    """
    policy = await context.policy.current()
    if identity is None and not policy.open_upload:
        raise GuestsRefused
    if terms.code is not None:
        check_chosen(terms.code, policy.chosen_code_length)
    if repeatable and (again := await made_before(context, repeatable)):
        return again
    new = await new_items(context, identity, announced, policy)
    check_sizes(new, policy)
    now = clock.now()
    expiry = _expiry(policy, terms, now)
    password_hash = None if terms.password is None else await context.passwords.hash(terms.password)
    content = Content(
        "items",
        terms.title or NAMELESS,
        sum(item.size for item in new),
        owner=identity.account_id if identity else None,
        password_hash=password_hash,
        title=terms.title,
        message=terms.message,
    )
    naming = Naming(
        digits_only=policy.numeric_codes, length=policy.code_length, words=terms.has_words, chosen=terms.code
    )
    async with context.db.transaction() as connection:
        return (await insert_items(connection, content, new, naming, expiry, now, repeatable))[1]


async def insert_items(
    connection: Connection,
    content: Content,
    new: Sequence[NewItem],
    naming: Naming,
    expiry: Expiry,
    now: datetime,
    repeatable: Repeatable | None,
) -> tuple[Made, Share]:
    """Make a share of these items, or find the one that the same request has made.

    Raises `IdempotencyKeyReused`, `CodeTaken`, `CodesCrowded`, and what `add_items` raises.
    """
    origin, digest = (repeatable.origin, repeatable.digest) if repeatable else (None, None)
    made = await insert(connection, content, origin, naming, expiry, now, digest)
    if made.request_digest != digest:
        raise IdempotencyKeyReused
    if made.is_new:
        await add_items(connection, made.id, new, now)
    share = await share_of_id(connection, made.id)
    assert share is not None, "it was made in this transaction, or by the same request before"
    return made, share


async def new_items(
    context: Context, identity: Identity | None, announced: Sequence[Announced], policy: Policy
) -> list[NewItem]:
    """The new items for what a sender announces. Raises as `create_share`."""
    files = await _own_files(context, identity, [one.file_id for one in announced if one.file_id])
    return [files[one.file_id] if one.file_id else to_come(one, policy) for one in announced]


async def add_items(connection: Connection, share_id: UUID, new: Sequence[NewItem], now: datetime) -> None:
    """Add items to a share that is locked or new.

    A share that serves one of the files cannot end until this is committed, so the file is not released in between.
    Raises `NotFound` for a file that is being released.
    """
    file_ids = {item.file_id for item in new if item.file_id}
    if file_ids:
        await owned.keep_shares_of_files(connection, list(file_ids))
        served = set(await ending.files_wanted(connection, list(file_ids)))
        held = {*await files_held(connection, list(file_ids))}
        held.update(await items_held.files_of_items(connection, list(file_ids)))
        if held - served:
            raise NotFound
    await items_held.insert_items(connection, share_id, new, now + ABANDONED)


async def made_before(context: Context, repeatable: Repeatable) -> Share | None:
    """The share that the same request has made, if it was sent before. Raises `IdempotencyKeyReused`."""
    async with context.db.connection() as connection:
        earlier = await share_of_origin(connection, repeatable.origin)
        if earlier is None:
            return None
        if earlier.request_digest != repeatable.digest:
            raise IdempotencyKeyReused
        return await share_of_id(connection, earlier.id)


async def _own_files(context: Context, identity: Identity | None, file_ids: list[UUID]) -> dict[UUID, NewItem]:
    """Items for files of the account. Raises `GuestsRefused`, `NotFound`, `NotReady`."""
    if not file_ids:
        return {}
    if identity is None:
        raise Forbidden("files of an account are shared by the account")
    asked = {"file_ids": sorted({file_id.hex for file_id in file_ids}), "owner": identity.account_id.hex}
    answer = await context.upload.call("POST", "/internal/files/facts", asked)
    found: dict[UUID, NewItem] = {}
    for fact in answer["files"]:
        if fact["sha256"] is None:
            raise NotReady
        file_id, sha256 = UUID(fact["id"]), bytes.fromhex(fact["sha256"])
        found[file_id] = NewItem(new_id(), "file", fact["name"], fact["size"], sha256=sha256, file_id=file_id)
    if len(found) != len(asked["file_ids"]):
        raise NotFound
    return found


def _expiry(policy: Policy, terms: Terms, now: datetime) -> Expiry:
    style = terms.expire_style or usual_style(policy.expire_styles)
    return policy.expiry_of(style, terms.expire_value, now)
