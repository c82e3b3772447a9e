"""Signing in and out, and one's own sessions, on the native API."""

from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from auth_service.edge import address_of, context_of, counted, label_of, not_stored
from auth_service.sessions import own_sessions, signing_in
from auth_service.sessions.model import Grant
from auth_service.sessions.passwords import Attempt
from auth_service.sessions.schemas import SessionAnswer, SessionsAnswer, TokenAnswer
from common.http.callers import InPerson
from common.http.json_bodies import documented, read_model

router = APIRouter(prefix="/v1/auth", tags=["auth"], dependencies=[Depends(not_stored)])


class LoginRequest(BaseModel):
    """A name and its password. With `bot`, the token is valid for half a year instead of five days."""

    name: str
    password: str
    bot: bool = False


@router.post("/login", dependencies=[Depends(counted("login"))], openapi_extra=documented(LoginRequest))
async def log_in(request: Request) -> TokenAnswer:
    """Sign in. An unknown name and a wrong password get the same answer."""
    asked = await read_model(request, LoginRequest)
    attempt = Attempt(asked.name, asked.password, address_of(request))
    grant = Grant.token(label_of(request, "Waystation"), bot=asked.bot)
    (opened,) = await signing_in.log_in(context_of(request), attempt, grant)
    return TokenAnswer.of(opened)


@router.post("/refresh", dependencies=[Depends(counted("refresh"))])
async def refresh(request: Request, identity: InPerson) -> TokenAnswer:
    """Replace the token by a new one of five days; the old one is no longer accepted."""
    return TokenAnswer.of(await own_sessions.refresh(context_of(request), identity))


@router.post("/logout", status_code=204, dependencies=[Depends(counted("logout"))])
async def log_out(request: Request, identity: InPerson) -> None:
    """End the session of the token."""
    await own_sessions.log_out(context_of(request), identity)


@router.get("/sessions")
async def list_sessions(request: Request, identity: InPerson) -> SessionsAnswer:
    """List the account's sessions."""
    found = await own_sessions.list_sessions(context_of(request), identity)
    return SessionsAnswer(sessions=[SessionAnswer.of(session, identity) for session in found])


@router.delete("/sessions", status_code=204)
async def end_other_sessions(request: Request, identity: InPerson) -> None:
    """End all sessions but the present one."""
    await own_sessions.end_other_sessions(context_of(request), identity)


@router.delete("/sessions/{session_id}", status_code=204)
async def end_session(request: Request, session_id: UUID, identity: InPerson) -> None:
    """End one session."""
    await own_sessions.end_session(context_of(request), identity, session_id)
