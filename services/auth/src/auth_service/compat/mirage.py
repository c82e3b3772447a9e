"""Mirage: register, log in, log out (section "Accounts" of its document)."""

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from auth_service.callers import address_of, count_call, label_of
from auth_service.compat.bodies import Fields, read_object, text_of
from auth_service.model import NameTaken, UnknownName, WrongPassword
from auth_service.operations import registration, sessions, signing_in
from auth_service.operations.registration import Registration
from auth_service.operations.sessions import Grant
from auth_service.operations.signing_in import Attempt
from auth_service.state import identities_of, state_of
from common.errors import DomainError, InvalidInput
from common.http.problems import headers_of, status_of
from common.identity import TokenRevoked

DESCRIPTION_WORDS = 500
NOTHING_FILLED = "I can't see a single field you filled"


class Refused(DomainError):
    """An answer with a status and a text of this dialect's own."""

    code = "refused"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def fields_of(request: Request) -> Fields:
    """The members of the body, which has to say that it is JSON. Raises `Refused`, `InvalidInput`, `TooLarge`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "the content type is not application/json")
    return await read_object(request)


async def register(request: Request, fields: Fields) -> Response:
    """Make an account. No token is issued."""
    await count_call(request, "register")
    name, email = text_of(fields, "username").strip(), text_of(fields, "email").strip()
    password = text_of(fields, "password")
    if not (name and email and password):
        raise Refused(400, NOTHING_FILLED)
    new = Registration(name, password, address_of(request), email, _profile(fields))
    try:
        await registration.register(state_of(request).context, new)
    except NameTaken:
        raise Refused(400, " the user already exists") from None
    return JSONResponse({"message": "Welcome to MIRAGE"}, 201)


async def log_in(request: Request, fields: Fields) -> Response:
    """Sign in; the token is a random text, and replaces an earlier one."""
    await count_call(request, "login")
    name, password = text_of(fields, "username"), text_of(fields, "password")
    if not (name and password):
        raise Refused(400, NOTHING_FILLED)
    attempt = Attempt(name, password, address_of(request))
    try:
        (opened,) = await signing_in.log_in(state_of(request).context, attempt, grant_of(request, alone=True))
    except UnknownName:
        raise Refused(404, "user not found") from None
    except WrongPassword:
        raise Refused(401, "wrong password") from None
    return JSONResponse({"token": opened.token, "username": opened.account.name})


async def log_out(request: Request, fields: Fields) -> Response:
    """End the session of the token in the body."""
    await count_call(request, "logout")
    token = text_of(fields, "token")
    if not token:
        raise Refused(400, "no token provided")
    try:
        await sessions.log_out(state_of(request).context, await identities_of(request).of_opaque(token))
    except TokenRevoked:
        raise Refused(401, "invalid token") from None
    return JSONResponse({"message": "logged out successfully"})


def grant_of(request: Request, *, alone: bool = False) -> Grant:
    """A token that is a random text and never expires."""
    return Grant.opaque(label_of(request, "Mirage"), alone=alone)


def render(error: DomainError) -> Response:
    """An error in the dialect's shape."""
    if isinstance(error, Refused):
        return JSONResponse({"error": error.message}, error.status)
    return JSONResponse({"error": error.message}, status_of(error), headers_of(error))


def _profile(fields: Fields) -> dict[str, Any]:
    profile = {name: text_of(fields, name) for name in ("avatar_url", "description") if fields.get(name)}
    if len(profile.get("description", "").split()) > DESCRIPTION_WORDS:
        raise Refused(400, "You are talking too much in the description")
    if any("\0" in text for text in profile.values()):
        raise InvalidInput("a NUL cannot be kept")
    return profile
