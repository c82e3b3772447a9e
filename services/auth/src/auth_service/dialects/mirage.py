"""Mirage: accounts (section 2 of its document)."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from auth_service.accounts import profiles, registration
from auth_service.accounts.profiles import Settings
from auth_service.accounts.registration import Registration
from auth_service.callers import address_of, count_call, label_of
from auth_service.directory.model import EmailTaken, NameTaken, UnknownName, WrongPassword
from auth_service.sessions import opening as sessions
from auth_service.sessions import signing_in
from auth_service.sessions.opening import Grant
from auth_service.sessions.signing_in import Attempt
from auth_service.state import identities_of, state_of
from common.dialects.mirage import UNAUTHORIZED, MirageRoute, Refused, identify, read_fields, row_time
from common.http.json_bodies import Fields, text_of
from common.identity import TokenRevoked

DESCRIPTION_WORDS = 500
PROFILE = ("avatar_url", "description", "custom_css", "background_image")
CLEARABLE = ("description", "custom_css", "background_image")
"""What may be set to nothing."""
NOTHING_FILLED = "I can't see a single field you filled"


router = APIRouter(prefix="/api", route_class=MirageRoute, include_in_schema=False)
"""The calls that no other dialect has. The others are in `shared_host`."""


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


@router.get("/usercount")
async def count_users(request: Request) -> Response:
    """How many accounts there are: a number, and no JSON."""
    return HTMLResponse(str(await profiles.count_accounts(state_of(request).context)))


# A name may hold a slash.
@router.get("/user/{name:path}")
async def read_user(request: Request, name: str) -> Response:
    """What everybody may see of someone. Posts and followers there are none, but pages reckon with the numbers."""
    account = await profiles.find_account(state_of(request).context, name)
    if account is None:
        raise Refused(404, "user not found")
    shown = {field: account.profile.get(field) for field in PROFILE}
    stats = dict.fromkeys(("followers", "following", "posts", "upvotes", "downvotes"), 0)
    return JSONResponse({"username": account.name, **shown, "created_at": row_time(account.created_at), "stats": stats})


@router.post("/user/settings")
async def change_settings(request: Request) -> Response:
    """Change one's own account. What is not a text is not there."""
    fields = await read_fields(request)
    authorization = request.headers.get("authorization")
    identity = await identify(identities_of(request), authorization, Refused(401, UNAUTHORIZED))
    sent = {name: value for name, value in fields.items() if isinstance(value, str) and (value or name in CLEARABLE)}
    settings = Settings(sent.get("email"), sent.get("password"), {name: sent[name] for name in PROFILE if name in sent})
    if settings == Settings():
        raise Refused(400, "no fields to update")
    try:
        await profiles.change_settings(state_of(request).context, identity, settings)
    except EmailTaken:
        raise Refused(400, "email already taken") from None
    except TokenRevoked:
        # The account went while this was under way.
        raise Refused(401, UNAUTHORIZED) from None
    return JSONResponse({"message": "settings updated successfully"})


def _profile(fields: Fields) -> dict[str, Any]:
    profile = {name: text_of(fields, name) for name in ("avatar_url", "description") if fields.get(name)}
    if len(profile.get("description", "").split()) > DESCRIPTION_WORDS:
        raise Refused(400, "You are talking too much in the description")
    profiles.check_profile(profile)
    return profile
