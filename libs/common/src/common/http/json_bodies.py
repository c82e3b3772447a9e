"""Small JSON bodies, read up to a limit. The native API checks them against a model and documents them by it.

FastAPI's own reading has no limit, so routes do not declare bodies as parameters.
"""

import json
from typing import Any, TypeVar, cast

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from common.errors import InvalidInput
from common.http.bodies import read_body

BODY_LIMIT = 64 * 1024

Fields = dict[str, Any]

Model = TypeVar("Model", bound=BaseModel)


async def read_model(request: Request, model: type[Model], limit: int = BODY_LIMIT) -> Model:
    """The request's body as a `model`. Raises `InvalidInput` (also for deep nesting) and `TooLarge`."""
    return parse_model(await read_body(request, limit), model)


def parse_model(body: bytes, model: type[Model]) -> Model:
    """A JSON body as a `model`. Raises `InvalidInput`, also for deep nesting."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise InvalidInput(f"{where}: {first['msg']}" if where else first["msg"]) from None


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of a route whose body is a `model`."""
    return documented_as(schema_of(model))


def documented_as(schema: dict[str, Any]) -> dict[str, Any]:
    """The `openapi_extra` of a route whose body has this schema."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a model, with those of the models in it at their places."""
    schema = model.model_json_schema()
    return cast("dict[str, Any]", _inlined(schema, schema.pop("$defs", {})))


def _inlined(value: object, definitions: dict[str, Any]) -> object:
    if isinstance(value, list):
        return [_inlined(one, definitions) for one in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    members = cast("dict[str, object]", value)
    if "$ref" in members:
        return _inlined(definitions[str(members["$ref"]).rpartition("/")[2]], definitions)
    return {name: _inlined(one, definitions) for name, one in members.items()}


async def read_object(request: Request, limit: int = BODY_LIMIT) -> Fields:
    """The members of the JSON object in the body. Raises `InvalidInput` if it is no JSON object, `TooLarge`."""
    value = parse_json(await read_body(request, limit))
    if not isinstance(value, dict):
        raise InvalidInput("the body is not a JSON object")
    return cast("Fields", value)


def parse_json(body: bytes) -> object:
    """The value of a JSON body. Raises `InvalidInput`, also for a value that could not be written as JSON again.

    Answers repeat parts of what was sent. A number such as `1e400` is valid JSON, but becomes an infinite one here.
    """
    try:
        value: object = from_json(body, allow_inf_nan=False)
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise InvalidInput("malformed JSON, or a number too large") from None
    return value


def text_of(fields: Fields, name: str) -> str:
    """The string member `name`; empty if it is missing or not a string."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""
