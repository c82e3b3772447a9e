"""The body of a call that two dialects have: what it has to be is known only when it has been read."""

from fastapi import Request

from common.errors import InvalidInput
from common.http.json_bodies import Fields, read_object


async def read_any(request: Request) -> Fields:
    """The members of the JSON object that the body is; none at all when it is no such thing. Raises `TooLarge`."""
    try:
        return await read_object(request)
    except InvalidInput:
        return {}
