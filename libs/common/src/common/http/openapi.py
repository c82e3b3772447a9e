"""The OpenAPI document of a service: its native interface, with the errors that every call may answer.

FastAPI knows only the answers to success, and an error of its own that this system never sends.
"""

from typing import Any

from fastapi import FastAPI

from common import errors
from common.errors import DomainError
from common.statuses import status_of

NATIVE = "/v1"
"""The prefix of the native interface. Foreign protocols have documents of their own, and `/internal` is not public."""

PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457). Programs may rely on `code`; `detail` is a text for people.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
    },
}
_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_UNUSED = ("HTTPValidationError", "ValidationError")


def install(app: FastAPI) -> None:
    """Complete the document of `app`, which is made when it is first asked for."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            complete(make())
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi


def complete(document: dict[str, Any]) -> None:
    """Leave only the native interface in the document, and add the errors of its calls."""
    document["paths"] = {path: calls for path, calls in document["paths"].items() if path.startswith(f"{NATIVE}/")}
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    for name in _UNUSED:
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    for path, calls in document["paths"].items():
        for call in calls.values():
            responses: dict[str, Any] = call["responses"]
            # A parameter of the wrong type: FastAPI's own shape of this error is replaced by a problem.
            if responses.pop("422", None):
                responses["422"] = _response("A parameter is not of its type.")
            for error in _errors_of(path, call):
                responses.setdefault(str(status_of(error())), _response(error().message))
            responses["default"] = _response("Any other error.")


def _errors_of(path: str, call: dict[str, Any]) -> list[type[DomainError]]:
    """The errors that a call may answer, as far as its declaration shows them."""
    found: list[type[DomainError]] = [errors.Unavailable]
    if call.get("security"):
        found += [errors.Unauthenticated, errors.Forbidden]
    if "{" in path:
        found.append(errors.NotFound)
    if "requestBody" in call:
        found += [errors.InvalidInput, errors.TooLarge, errors.TooSlow]
    return found


def _response(description: str) -> dict[str, Any]:
    return {"description": description, "content": _CONTENT}
