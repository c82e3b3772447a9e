"""Looking up the share that a code, link or slug belongs to."""

from common import clock
from share_service.context import Context
from share_service.shares.model import Share, ShareEnded, ShareKind, UnknownCode, is_possible
from share_service.shares.queries.made import share_of_code


async def look_up(context: Context, kind: ShareKind, code: str) -> Share:
    """The share with this code, link or slug, if it can be redeemed. Takes no use.

    Raises `UnknownCode`, `ShareEnded`.
    """
    if not is_possible(kind, code):
        raise UnknownCode
    async with context.db.connection() as connection:
        share = await share_of_code(connection, kind, code)
    if share is None:
        raise UnknownCode
    if not share.is_redeemable(clock.now()):
        raise ShareEnded(share.ended_for)
    return share
