"""File Uploader: register, log in, refresh, log out (sections "register and login" and on of its document)."""

from fastapi import Request, Response

from auth_service.accounts import registration
from auth_service.accounts.registration import Registration
from auth_service.callers import address_of, count_call, label_of
from auth_service.directory.model import NameTaken, SignedIn, UnknownName, WrongPassword
from auth_service.sessions import opening as sessions
from auth_service.sessions import signing_in
from auth_service.sessions.opening import Grant
from auth_service.sessions.signing_in import Attempt
from auth_service.state import identities_of, state_of
from common.dialects import fileuploader
from common.dialects.fileuploader import Refused
from common.errors import DomainError
from common.http.json_bodies import Fields, text_of

TAKEN, NO_CREDENTIALS, WRONG_PASSWORD, NO_SUCH_USER, NO_TOKEN = 1, 2, 3, 4, 5
"""The numbers of the dialect's errors."""


async def register(request: Request, fields: Fields) -> Response:
    """Make an account, and sign in to it."""
    await count_call(request, "register")
    name, password = credentials_of(fields)
    new = Registration(name, password, address_of(request))
    try:
        _, (opened,) = await registration.register(state_of(request).context, new, grant_of(request))
    except NameTaken:
        raise Refused(400, "An account with this name is already registered", TAKEN) from None
    return fileuploader.ok("registered", accessToken=opened.token, username=opened.account.name)


async def log_in(request: Request, fields: Fields) -> Response:
    """Sign in by name and password."""
    (opened,) = await sign_in(request, fields, grant_of(request))
    return fileuploader.ok("logged in with password", accessToken=opened.token, username=opened.account.name)


async def sign_in(request: Request, fields: Fields, *grants: Grant) -> tuple[SignedIn, ...]:
    """What `log_in` does, with the sessions that are to be opened."""
    await count_call(request, "login")
    attempt = Attempt(*credentials_of(fields), address_of(request))
    try:
        return await signing_in.log_in(state_of(request).context, attempt, *grants)
    except UnknownName:
        raise Refused(404, "User not found", NO_SUCH_USER) from None
    except WrongPassword:
        raise Refused(400, "Wrong password", WRONG_PASSWORD) from None


async def log_in_by_token(request: Request) -> Response:
    """Say whose token it is."""
    header = request.headers.get("authorization")
    identity = await fileuploader.identify(identities_of(request), header)
    token = (header or "").partition(" ")[2]
    return fileuploader.ok("Logged in by token", username=identity.name, accessToken=token)


async def refresh(request: Request, fields: Fields) -> Response:
    """Replace a token, which is sent bare by some clients and after `Bearer` by others."""
    await count_call(request, "refresh")
    sent = text_of(fields, "accessToken")
    if not sent:
        raise Refused(400, "No access token provided", NO_TOKEN)
    header = sent if " " in sent else f"Bearer {sent}"
    identity = await fileuploader.identify(identities_of(request), header)
    opened = await sessions.refresh(state_of(request).context, identity)
    return fileuploader.ok("token refreshed", accessToken=opened.token)


async def log_out(request: Request) -> Response:
    """End the session that the token is of."""
    await count_call(request, "logout")
    identity = await fileuploader.identify(identities_of(request), request.headers.get("authorization"))
    await sessions.log_out(state_of(request).context, identity)
    return fileuploader.ok("logged out")


def credentials_of(fields: Fields) -> tuple[str, str]:
    """Name and password. Raises the dialect's error when one is missing."""
    name, password = text_of(fields, "username"), text_of(fields, "password")
    if not (name and password):
        raise Refused(400, "No username/password provided", NO_CREDENTIALS)
    return name, password


def grant_of(request: Request) -> Grant:
    """A token of five days, or of half a year for a bot."""
    return Grant.token(label_of(request, "File Uploader"), bot=fileuploader.flag(request.query_params.get("bot")))


def render(error: DomainError) -> Response:
    """An error in the dialect's shape."""
    return fileuploader.render(error)
