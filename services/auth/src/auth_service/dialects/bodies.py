"""The body of a call that both dialects have, before it is known which of them was meant."""

from fastapi import Request

from common.errors import InvalidInput
from common.http.json_bodies import Fields, read_object


def is_json(request: Request) -> bool:
    """Whether the request says that its body is JSON."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


async def read_any(request: Request) -> Fields:
    """The members of the JSON object in the body; none when the body is not a JSON object. Raises `TooLarge`."""
    try:
        return await read_object(request)
    except InvalidInput:
        return {}
