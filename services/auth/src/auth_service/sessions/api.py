"""Registering, signing in and out, and sessions."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from auth_service.accounts import registration
from auth_service.accounts.registration import Registration
from auth_service.accounts.schemas import SessionAnswer, SessionsAnswer, TokenAnswer
from auth_service.callers import address_of, counted, label_of
from auth_service.directory.model import NATIVE_PASSWORD_LENGTH, PasswordTooShort
from auth_service.edge import InPerson, not_stored
from auth_service.sessions import opening as sessions
from auth_service.sessions import signing_in
from auth_service.sessions.opening import Grant
from auth_service.sessions.signing_in import Attempt
from auth_service.signing import keys as signing
from auth_service.state import state_of
from common.http.json_bodies import documented, read_model

router = APIRouter(prefix="/v1/auth", tags=["auth"], dependencies=[Depends(not_stored)])


class RegisterRequest(BaseModel):
    """A name of 1 to 255 characters, and a password of 8 characters to 1024 bytes."""

    name: str
    password: str


class LoginRequest(BaseModel):
    """A name and its password. `bot`: the token is to live for half a year, not for five days."""

    name: str
    password: str
    bot: bool = False


@router.post(
    "/register", status_code=201, dependencies=[Depends(counted("register"))], openapi_extra=documented(RegisterRequest)
)
async def register(request: Request) -> TokenAnswer:
    """Make an account, and sign in to it."""
    asked = await read_model(request, RegisterRequest)
    check_length(asked.password)
    new = Registration(asked.name, asked.password, address_of(request))
    grant = Grant.token(label_of(request, "Waystation"))
    _, (opened,) = await registration.register(state_of(request).context, new, grant)
    return TokenAnswer.of(opened)


@router.post("/login", dependencies=[Depends(counted("login"))], openapi_extra=documented(LoginRequest))
async def log_in(request: Request) -> TokenAnswer:
    """Sign in. A name that nobody has and a wrong password are answered alike."""
    asked = await read_model(request, LoginRequest)
    attempt = Attempt(asked.name, asked.password, address_of(request))
    grant = Grant.token(label_of(request, "Waystation"), bot=asked.bot)
    (opened,) = await signing_in.log_in(state_of(request).context, attempt, grant)
    return TokenAnswer.of(opened)


@router.post("/refresh", dependencies=[Depends(counted("refresh"))])
async def refresh(request: Request, identity: InPerson) -> TokenAnswer:
    """Replace the token by a new one of five days; the old one is not accepted any more."""
    return TokenAnswer.of(await sessions.refresh(state_of(request).context, identity))


@router.post("/logout", status_code=204, dependencies=[Depends(counted("logout"))])
async def log_out(request: Request, identity: InPerson) -> None:
    """End the session that the token is of."""
    await sessions.log_out(state_of(request).context, identity)


@router.get("/sessions")
async def list_sessions(request: Request, identity: InPerson) -> SessionsAnswer:
    """The account's sessions."""
    found = await sessions.list_sessions(state_of(request).context, identity)
    return SessionsAnswer(sessions=[SessionAnswer.of(session, identity) for session in found])


@router.delete("/sessions", status_code=204)
async def end_other_sessions(request: Request, identity: InPerson) -> None:
    """End all sessions but the present one."""
    await sessions.end_other_sessions(state_of(request).context, identity)


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(request: Request, session_id: UUID, identity: InPerson) -> None:
    """End one session."""
    await sessions.end_session(state_of(request).context, identity, session_id)


@router.get("/jwks")
async def read_keys(request: Request) -> dict[str, Any]:
    """The public keys of all tokens, as a JSON Web Key Set (RFC 7517)."""
    async with state_of(request).context.db.transaction() as connection:
        return await signing.published_key_set(connection)


def check_length(password: str) -> None:
    """Raise `PasswordTooShort`. The dialects ask for no length, as their clients know of none."""
    if len(password) < NATIVE_PASSWORD_LENGTH:
        raise PasswordTooShort
