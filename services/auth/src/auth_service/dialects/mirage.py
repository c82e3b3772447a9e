"""Mirage: accounts (section 2 of its document)."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from auth_service.accounts import profiles, registration
from auth_service.accounts.model import EmailTaken, NameTaken
from auth_service.accounts.profiles import SettingsChange
from auth_service.accounts.registration import Registration
from auth_service.dialects.calls import count_call
from auth_service.directory import lookups
from auth_service.edge import address_of, context_of, identities_of, label_of
from auth_service.sessions import own_sessions, signing_in
from auth_service.sessions.model import Grant, UnknownName, WrongPassword
from auth_service.sessions.passwords import Attempt
from common.dialects.mirage import UNAUTHORIZED, MirageRoute, Refused, identify, read_fields, row_time
from common.http.json_bodies import Fields, text_of
from common.identity import CredentialError, TokenRevoked

DESCRIPTION_WORDS = 500
PROFILE = ("avatar_url", "description", "custom_css", "background_image")
CLEARABLE = ("description", "custom_css", "background_image")
"""The fields that may be set to an empty text."""
NOTHING_FILLED = "I can't see a single field you filled"
NOTHING_SENT = "no token provided"


router = APIRouter(prefix="/api", route_class=MirageRoute, include_in_schema=False)
"""The calls that only Mirage has. `shared_host` routes those that File Uploader has too."""


async def register(request: Request, fields: Fields) -> Response:
    """Make an account. No token is issued."""
    await count_call(request, "register")
    name, email = text_of(fields, "username").strip(), text_of(fields, "email").strip()
    password = text_of(fields, "password")
    if not (name and email and password):
        raise Refused(400, NOTHING_FILLED)
    new = Registration(name, password, address_of(request), email, _profile(fields))
    try:
        await registration.register(context_of(request), new)
    except NameTaken:
        raise Refused(400, " the user already exists") from None
    return JSONResponse({"message": "Welcome to MIRAGE"}, 201)


async def log_in(request: Request, fields: Fields) -> Response:
    """Sign in. The token is a random text, and replaces an earlier one."""
    await count_call(request, "login")
    name, password = text_of(fields, "username"), text_of(fields, "password")
    if not (name and password):
        raise Refused(400, NOTHING_FILLED)
    attempt = Attempt(name, password, address_of(request))
    try:
        (opened,) = await signing_in.log_in(context_of(request), attempt, grant_of(request))
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
        raise Refused(400, NOTHING_SENT)
    try:
        await own_sessions.log_out(context_of(request), await identities_of(request).of_opaque(token))
    except CredentialError:
        raise Refused(401, "invalid token") from None
    return JSONResponse({"message": "logged out successfully"})


def grant_of(request: Request, *, lifetime: timedelta | None = None) -> Grant:
    """A token that is a random text, valid for `lifetime`; without one, it never expires."""
    return Grant.opaque(label_of(request, "Mirage"), lifetime=lifetime)


@router.get("/usercount")
async def count_users(request: Request) -> Response:
    """Answer the number of accounts, as plain digits without JSON."""
    return HTMLResponse(str(await lookups.count_accounts(context_of(request))))


# A name may hold a slash.
@router.get("/user/{name:path}")
async def read_user(request: Request, name: str) -> Response:
    """Show a public profile. There are no posts or followers here, but the pages expect the numbers."""
    account = await lookups.find_account(context_of(request), name)
    if account is None:
        raise Refused(404, "user not found")
    shown = {field: account.profile.get(field) for field in PROFILE}
    stats = dict.fromkeys(("followers", "following", "posts", "upvotes", "downvotes"), 0)
    return JSONResponse({"username": account.name, **shown, "created_at": row_time(account.created_at), "stats": stats})


@router.post("/user/settings")
async def change_settings(request: Request) -> Response:
    """Change one's own account. A value that is not a text counts as missing."""
    fields = await read_fields(request)
    authorization = request.headers.get("authorization")
    identity = await identify(identities_of(request), authorization, Refused(401, UNAUTHORIZED))
    sent = {name: value for name, value in fields.items() if isinstance(value, str) and (value or name in CLEARABLE)}
    profile = {name: sent[name] for name in PROFILE if name in sent}
    change = SettingsChange(sent.get("email"), sent.get("password"), profile)
    if change == SettingsChange():
        raise Refused(400, "no fields to update")
    try:
        await profiles.change_settings(context_of(request), identity, change)
    except EmailTaken:
        raise Refused(400, "email already taken") from None
    except TokenRevoked:
        # The account was deleted meanwhile.
        raise Refused(401, UNAUTHORIZED) from None
    return JSONResponse({"message": "settings updated successfully"})


def _profile(fields: Fields) -> dict[str, Any]:
    profile = {name: text_of(fields, name) for name in ("avatar_url", "description") if fields.get(name)}
    if len(profile.get("description", "").split()) > DESCRIPTION_WORDS:
        raise Refused(400, "You are talking too much in the description")
    profiles.check_profile(profile)
    return profile
