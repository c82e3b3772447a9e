"""The bodies of the dialects' account calls: small JSON objects."""

from typing import Any, cast

from fastapi import Request
from pydantic_core import from_json

from common.errors import InvalidInput
from common.http.bodies import read_body

BODY_LIMIT = 64 * 1024

Fields = dict[str, Any]


async def read_object(request: Request) -> Fields:
    """The members of the JSON object that the body is. Raises `InvalidInput` when it is none, `TooLarge`."""
    body = await read_body(request, BODY_LIMIT)
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise InvalidInput("malformed JSON") from None
    if not isinstance(value, dict):
        raise InvalidInput("the body is not a JSON object")
    return cast("Fields", value)


async def read_any(request: Request) -> Fields:
    """The same, but no members at all when it is no JSON object. Raises `TooLarge`."""
    try:
        return await read_object(request)
    except InvalidInput:
        return {}


def text_of(fields: Fields, name: str) -> str:
    """A member that is a text; empty when it is missing or something else."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""
