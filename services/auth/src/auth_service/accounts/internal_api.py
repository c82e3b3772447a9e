"""What the other services ask: tokens to show to one another, keys to check them, whose a credential is, and names."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from auth_service.accounts import credentials, profiles
from auth_service.accounts.credentials import NAME_LENGTH
from auth_service.directory.model import Account
from auth_service.signing import keys as signing
from auth_service.state import state_of
from common import clock
from common.http.internal import internal_only
from common.tokens.services import TokenVerifier

CREDENTIAL_CALLERS = ("upload", "share", "chat")
# As many as one answer can tell the names of.
ACCOUNTS_AT_MOST = 10_000


class TokenRequest(BaseModel):
    """A service and its own secret."""

    service: Annotated[str, Field(max_length=64)]
    secret: Annotated[str, Field(max_length=1024)]


class ServiceTokenAnswer(BaseModel):
    """A token; `expires_at` in seconds since 1970."""

    token: str
    expires_at: int


class CredentialRequest(BaseModel):
    """The name of a credential, as `common.credentials` makes it."""

    name: Annotated[str, Field(max_length=NAME_LENGTH)]


class NameRequest(BaseModel):
    """What somebody wrote who means an account."""

    name: Annotated[str, Field(max_length=4096)]


class IdsRequest(BaseModel):
    """Accounts that somebody is to be told of."""

    ids: Annotated[list[UUID], Field(max_length=ACCOUNTS_AT_MOST)]


class PublicAccount(BaseModel):
    """What everybody may know of an account."""

    id: UUID
    name: str
    avatar_url: str | None

    @staticmethod
    def of(account: Account) -> "PublicAccount":
        return PublicAccount(id=account.id, name=account.name, avatar_url=account.avatar_url)


class FoundAnswer(BaseModel):
    """The account that was meant; None: there is none."""

    account: PublicAccount | None


class NamesAnswer(BaseModel):
    """Those of the accounts that there are."""

    accounts: list[PublicAccount]


class CredentialAnswer(BaseModel):
    """Whose it is, in the form of `Identity.to_json`; None: nobody's."""

    identity: str | None


def routes(verifier: TokenVerifier) -> APIRouter:
    """The routes. Whoever asks for credentials shows a service token, which `verifier` checks."""
    router = APIRouter(prefix="/internal", include_in_schema=False)
    router.add_api_route("/service-tokens", create_service_token, methods=["POST"])
    router.add_api_route("/jwks", read_keys, methods=["GET"])
    known = [Depends(internal_only(lambda: verifier, *CREDENTIAL_CALLERS))]
    router.add_api_route("/credentials", read_credential, methods=["POST"], dependencies=known)
    for_chat = [Depends(internal_only(lambda: verifier, "chat"))]
    router.add_api_route("/accounts/find", find_account, methods=["POST"], dependencies=for_chat)
    router.add_api_route("/accounts/names", read_names, methods=["POST"], dependencies=for_chat)
    return router


async def create_service_token(request: Request, asked: TokenRequest) -> ServiceTokenAnswer:
    """Exchange a service's secret for a token of a few minutes."""
    state = state_of(request)
    signing.check_secret(state.service_secrets, asked.service, asked.secret)
    now = clock.now()
    async with state.context.db.transaction() as connection:
        keys = await signing.signing_keys(connection, now)
    made = signing.sign_service_token(keys, asked.service, now)
    return ServiceTokenAnswer(token=made.token, expires_at=int(made.expires_at.timestamp()))


async def read_keys(request: Request) -> dict[str, Any]:
    """The public keys."""
    async with state_of(request).context.db.transaction() as connection:
        return await signing.published_key_set(connection)


async def read_credential(request: Request, asked: CredentialRequest) -> CredentialAnswer:
    """Whose a credential is."""
    async with state_of(request).context.db.connection() as connection:
        identity = await credentials.identity_of(connection, asked.name)
    return CredentialAnswer(identity=identity.to_json() if identity else None)


async def find_account(request: Request, asked: NameRequest) -> FoundAnswer:
    """The account of a name, in whatever spelling."""
    account = await profiles.find_account(state_of(request).context, asked.name)
    return FoundAnswer(account=PublicAccount.of(account) if account else None)


async def read_names(request: Request, asked: IdsRequest) -> NamesAnswer:
    """What accounts are called."""
    found = await profiles.accounts_of(state_of(request).context, asked.ids)
    return NamesAnswer(accounts=[PublicAccount.of(account) for account in found])
