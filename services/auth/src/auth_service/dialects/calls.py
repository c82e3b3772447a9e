"""Counting account calls, for both dialects."""

from fastapi import Request

from auth_service.edge import address_of, context_of
from auth_service.limits import Call, TooManyCalls
from common.dialects.fileuploader import Throttled


async def count_call(request: Request, call: Call) -> None:
    """Count a call of this kind for the client's address, with those of every other protocol.

    Raises `Throttled`, whose text is File Uploader's; Mirage has none of its own and borrows it.
    """
    try:
        await context_of(request).calls.count(call, address_of(request))
    except TooManyCalls as error:
        raise Throttled(error.per_minute) from None
