"""The parts that WebSockets and event streams share."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from chat_service.live import Close, End, Ended, Subscription
from chat_service.rooms.model import NotAMember, RoomNotFound
from chat_service.streams import ChatUnavailable, is_event_id
from common.cancelling import cancel
from common.errors import DomainError, Forbidden, InvalidInput, NotFound, RateLimited, Unauthenticated, Unavailable
from common.identity import TokenRevoked

LAST_SECONDS = 3
"""The time for sending a last message to a client that may not be reading."""

_CODES: tuple[tuple[type[DomainError], Close], ...] = (
    (Unauthenticated, Close.UNAUTHENTICATED),
    (Forbidden, Close.FORBIDDEN),
    (NotFound, Close.NOT_FOUND),
    (RateLimited, Close.FLOOD),
    (Unavailable, Close.TRY_LATER),
)
_ERRORS: dict[Close, type[DomainError]] = {
    Close.FORBIDDEN: NotAMember,
    Close.NOT_FOUND: RoomNotFound,
    Close.UNAUTHENTICATED: TokenRevoked,
}


async def until_ended(subscription: Subscription, *work: Coroutine[Any, Any, None]) -> End | None:
    """Run `work` until any of it ends or the subscription does. None: the client has gone, or the work ended."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.wait([*tasks, subscription.ended], return_when=asyncio.FIRST_COMPLETED)
    finally:
        results = await cancel(*tasks)
    for result in results:
        if isinstance(result, Ended):
            return result.end
        if isinstance(result, Exception) and not isinstance(result, asyncio.CancelledError):
            raise result
    return subscription.ended.result() if subscription.ended.done() else None


def close_code(error: DomainError) -> Close:
    """The close code for an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), Close.BAD_INPUT)


def error_of(end: End) -> DomainError:
    """The error to answer with when a subscription was refused."""
    kind = _ERRORS.get(end.code)
    return kind() if kind else ChatUnavailable(end.reason)


def checked_after(after: str | None) -> str | None:
    """The id to resume after. Raises `InvalidInput`."""
    if after and not is_event_id(after):
        raise InvalidInput("after is not the id of an event")
    return after or None
