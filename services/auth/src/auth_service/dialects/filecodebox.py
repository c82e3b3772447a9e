"""FileCodeBox: the session of its administration. It asks for a password alone, which is that of one account.

The account is the one named by the setting `ADMIN_NAME`, and has to be an administrator's.
"""

import math
from datetime import timedelta

from fastapi import APIRouter, Request, Response

from auth_service.context import Context
from auth_service.directory import lookups
from auth_service.edge import address_of, context_of, label_of
from auth_service.sessions import own_sessions, signing_in
from auth_service.sessions.model import (
    SESSION_LIFETIME,
    Grant,
    OpenedSession,
    SessionKind,
    WrongCredentials,
    WrongPassword,
)
from auth_service.sessions.passwords import Attempt
from common import clock
from common.audit import Author
from common.dialects.filecodebox import FileCodeBoxRoute, Refused, ok, str_field
from common.dialects.filecodebox_admin import administered, object_of
from common.identity import Identity, Role
from common.limits import counted_try

WRONG_TEXT = "密码错误"

router = APIRouter(route_class=FileCodeBoxRoute, include_in_schema=False)


@router.post("/admin/login")
async def log_in(request: Request) -> Response:
    """Sign in by the password. Wrong ones are counted for the address, as long as the policy says."""
    context = context_of(request)
    password = str_field(await object_of(request), "password")
    address = address_of(request)
    await context.calls.count("login", address)
    policy = await context.policy.current()
    period = timedelta(minutes=policy.login_minute)
    budget = context.limiter.budget("filecodebox-login", policy.login_count, period, restarts=True)
    grant = Grant(SessionKind.TOKEN, timedelta(days=policy.admin_session_days), label_of(request, "FileCodeBox"))
    try:
        async with counted_try([(budget, address)], (WrongCredentials,)):
            opened = await _open(context, Attempt(context.admin_name, password, address), grant)
    except WrongCredentials:
        raise Refused(401, WRONG_TEXT) from None
    return ok(_session(opened.token, opened.account.identity(opened.account.id, opened.expires_at)))


@administered(router, "/verify", "GET")
async def verify(request: Request, author: Author) -> Response:
    """The session of the token, which the page keeps from then on."""
    return ok(_session(request.headers["authorization"].partition(" ")[2], author.identity))


@administered(router, "/logout", "POST")
async def log_out(request: Request, author: Author) -> Response:
    """End the session; the token is not accepted any more."""
    await own_sessions.log_out(context_of(request), author.identity)
    return ok({"ok": True})


async def _open(context: Context, attempt: Attempt, grant: Grant) -> OpenedSession:
    account = await lookups.find_account(context, attempt.name)
    if account is None or account.role is not Role.ADMINISTRATOR:
        raise WrongPassword
    (opened,) = await signing_in.log_in(context, attempt, grant)
    return opened


def _session(token: str, identity: Identity) -> dict[str, object]:
    """The session in the words of the dialect."""
    ends = identity.expires_at or clock.now() + SESSION_LIFETIME
    return {
        "token": token,
        "token_type": "bearer",
        "expires_in": math.floor((ends - clock.now()).total_seconds()),
        "expires_at": math.floor(ends.timestamp()),
        "id": identity.account_id.hex,
        "username": identity.name,
    }
