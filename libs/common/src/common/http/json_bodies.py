"""Small JSON bodies of the native API: read up to a limit, checked against a model, and documented by it.

FastAPI itself reads a body of any length before it looks at it.
"""

from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from common.errors import InvalidInput
from common.http.bodies import read_body

BODY_LIMIT = 64 * 1024

Model = TypeVar("Model", bound=BaseModel)


async def read_model(request: Request, model: type[Model]) -> Model:
    """The request's body as a `model`. Raises `InvalidInput`, also when it is nested too deeply, and `TooLarge`."""
    body = await read_body(request, BODY_LIMIT)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise InvalidInput(f"{where}: {first['msg']}" if where else first["msg"]) from None


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """What `openapi_extra` of a route says whose body is a `model`."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": model.model_json_schema()}}}}
