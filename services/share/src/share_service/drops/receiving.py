"""Sending by a drop-off: anybody who has its code, also where guests may not upload otherwise."""

from collections.abc import Sequence

from common import clock
from common.errors import Forbidden
from common.expiry import Expiry
from common.policy import Policy
from common.repeatable import Repeatable
from share_service.context import Context
from share_service.downloads.guesses import counted_redemption
from share_service.drops import queries
from share_service.drops.model import Drop, DropEnded, UnknownDrop
from share_service.sending.creating import NAMELESS, insert_items, made_before
from share_service.sending.model import Announced, check_sizes, to_come
from share_service.shares.making import Content, Naming
from share_service.shares.model import Share, UnknownCode, canonical, is_possible


async def open_drop(context: Context, code: str, address: str) -> Drop:
    """The drop-off with this code. A wrong one counts as a guess. Raises `UnknownDrop`, `RateLimited`."""
    policy = await context.policy.current()
    try:
        async with counted_redemption(context, policy, address, code):
            found = None
            if is_possible("code", code):
                async with context.db.connection() as connection:
                    found = await queries.drop_of_code(connection, canonical("code", code))
            if found is None:
                raise UnknownCode
            return found
    except UnknownCode:
        raise UnknownDrop from None


async def send_to_drop(
    context: Context,
    drop: Drop,
    announced: Sequence[Announced],
    title: str | None,
    message: str | None,
    repeatable: Repeatable | None,
) -> Share:
    """Make a share of items that belongs to the owner of a drop-off; the same request again gets the same share.

    Raises `DropEnded`, `IdempotencyKeyReused`, `InvalidInput`, `CodesCrowded`, and what the drop-off and the policy
    refuse.
    """
    policy, now = await context.policy.current(), clock.now()
    if repeatable and (again := await made_before(context, repeatable)):
        return again
    if not drop.is_open(now):
        raise DropEnded
    if any(one.file_id for one in announced):
        raise Forbidden("files of an account are shared by the account")
    new = [to_come(one, policy) for one in announced]
    check_sizes(new, policy)
    drop.check(new, policy)
    content = Content(
        "items",
        title or NAMELESS,
        sum(item.size for item in new),
        owner=drop.owner,
        title=title,
        message=message,
        drop_id=drop.id,
    )
    naming = Naming(digits_only=policy.numeric_codes, length=policy.code_length)
    async with context.db.transaction() as connection:
        made, share = await insert_items(connection, content, new, naming, _expiry(policy), now, repeatable)
        if made.is_new and not await queries.take_place(connection, drop.id, now):
            raise DropEnded
    return share


def _expiry(policy: Policy) -> Expiry:
    """As long as the policy allows: its owner decides how long it is needed, and may not look for days."""
    return Expiry(None if "forever" in policy.expire_styles else clock.now() + policy.longest_life, None)
