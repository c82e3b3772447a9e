"""FileCodeBox's administration: its sessions, and the members of answers that its pages know in two spellings."""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, cast

from fastapi import APIRouter, Request, Response

from common.audit import Author
from common.dialects.filecodebox import UNAUTHORIZED_TEXT, FieldError, Refused
from common.errors import InvalidInput
from common.http.authors import author_of
from common.http.callers import of_request
from common.http.json_bodies import Fields, read_object
from common.identity import CredentialError

BROKEN_TOKEN_TEXT = "token验证失败"  # noqa: S105
_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")

Endpoint = Callable[[Request, Author], Coroutine[Any, Any, Response]]


def administered(router: APIRouter, path: str, *methods: str) -> Callable[[Endpoint], Endpoint]:
    """Decorates the endpoint of a path below `/admin`, which is for administrators who are signed in."""

    def register(endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            return await endpoint(request, await signed_in(request))

        guarded.__module__ = endpoint.__module__
        router.add_api_route(f"/admin{path}", guarded, methods=list(methods), name=endpoint.__name__)
        return endpoint

    return register


async def signed_in(request: Request) -> Author:
    """The administrator who sent the request. Raises `Refused` (401): these pages sign out at no other status."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, UNAUTHORIZED_TEXT)
    try:
        identity = await of_request(request)
    except CredentialError as error:
        raise Refused(401, f"{BROKEN_TOKEN_TEXT}: {error.message}") from None
    if not identity.is_administrator:
        raise Refused(401, UNAUTHORIZED_TEXT)
    return author_of(request, identity)


async def object_of(request: Request) -> Fields:
    """The JSON object in the body. Raises `FieldError`."""
    try:
        return await read_object(request)
    except InvalidInput as error:
        raise FieldError("dict_type", ["body"], error.message) from None


def twins(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, also those in values, each under its name and under the same name in the other spelling.

    `isText` is also `is_text`: the older pages read one, the newer ones the other.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        snake = _CAPITAL.sub(lambda match: f"_{match[0].lower()}", name)
        found[name] = found[snake] = _twins_in(value)
    return found


def _twins_in(value: Any) -> Any:
    if isinstance(value, Mapping):
        return twins(cast("Mapping[str, Any]", value))
    if isinstance(value, list):
        return [_twins_in(one) for one in cast("list[Any]", value)]
    return value
