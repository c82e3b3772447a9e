"""File Uploader: registering, signing in and out, refreshing tokens (from "register and login" on in its document)."""

from fastapi import Request, Response

from auth_service.accounts import registration
from auth_service.accounts.model import NameTaken
from auth_service.accounts.registration import Registration
from auth_service.dialects.calls import count_call
from auth_service.edge import address_of, context_of, identities_of, label_of
from auth_service.sessions import own_sessions, signing_in
from auth_service.sessions.model import Grant, OpenedSession, UnknownName, WrongPassword
from auth_service.sessions.passwords import Attempt
from common.dialects import fileuploader
from common.dialects.fileuploader import Refused
from common.http.json_bodies import Fields, text_of

TAKEN, NO_CREDENTIALS, WRONG_PASSWORD, NO_SUCH_USER, NO_TOKEN = 1, 2, 3, 4, 5
"""The numbers of the dialect's errors."""


async def register(request: Request, fields: Fields) -> Response:
    """Make an account, and sign in to it."""
    await count_call(request, "register")
    name, password = credentials_of(fields)
    new = Registration(name, password, address_of(request))
    try:
        (opened,) = await registration.register(context_of(request), new, grant_of(request))
    except NameTaken:
        raise Refused(400, "An account with this name is already registered", TAKEN) from None
    return fileuploader.ok("registered", accessToken=opened.token, username=opened.account.name)


async def log_in(request: Request, fields: Fields) -> Response:
    """Sign in by name and password."""
    (opened,) = await sign_in(request, fields, grant_of(request))
    return fileuploader.ok("logged in with password", accessToken=opened.token, username=opened.account.name)


async def sign_in(request: Request, fields: Fields, *grants: Grant) -> tuple[OpenedSession, ...]:
    """Sign in by name and password, and open these sessions."""
    await count_call(request, "login")
    attempt = Attempt(*credentials_of(fields), address_of(request))
    try:
        return await signing_in.log_in(context_of(request), attempt, *grants)
    except UnknownName:
        raise Refused(404, "User not found", NO_SUCH_USER) from None
    except WrongPassword:
        raise Refused(400, "Wrong password", WRONG_PASSWORD) from None


async def log_in_by_token(request: Request) -> Response:
    """Tell a client the name behind its token."""
    header = request.headers.get("authorization")
    identity = await fileuploader.identify(identities_of(request), header)
    token = (header or "").partition(" ")[2]
    return fileuploader.ok("Logged in by token", username=identity.name, accessToken=token)


async def refresh(request: Request, fields: Fields) -> Response:
    """Replace a token. Some clients send it bare, others after `Bearer`."""
    await count_call(request, "refresh")
    sent = text_of(fields, "accessToken")
    if not sent:
        raise Refused(400, "No access token provided", NO_TOKEN)
    header = sent if " " in sent else f"Bearer {sent}"
    identity = await fileuploader.identify(identities_of(request), header)
    opened = await own_sessions.refresh(context_of(request), identity)
    return fileuploader.ok("token refreshed", accessToken=opened.token)


async def log_out(request: Request) -> Response:
    """End the session of the token."""
    await count_call(request, "logout")
    identity = await fileuploader.identify(identities_of(request), request.headers.get("authorization"))
    await own_sessions.log_out(context_of(request), identity)
    return fileuploader.ok("logged out")


def credentials_of(fields: Fields) -> tuple[str, str]:
    """The name and the password. Raises the dialect's error when one is missing."""
    name, password = text_of(fields, "username"), text_of(fields, "password")
    if not (name and password):
        raise Refused(400, "No username/password provided", NO_CREDENTIALS)
    return name, password


def grant_of(request: Request) -> Grant:
    """A token of five days, or of half a year for a bot."""
    return Grant.token(label_of(request, "File Uploader"), bot=fileuploader.flag(request.query_params.get("bot")))
