"""What the other services ask: tokens to show to one another, keys to check them, and whose a credential is."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from auth_service.operations import credentials, signing
from auth_service.operations.credentials import NAME_LENGTH
from auth_service.state import state_of
from common import clock
from common.http.service_tokens import TokenVerifier, internal_only

CREDENTIAL_CALLERS = ("upload", "share", "chat")


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
