"""The tokens that services show one another, and the keys that check all tokens."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from auth_service.edge import context_of
from auth_service.signing import keys, tokens

router = APIRouter(prefix="/internal", include_in_schema=False)


class TokenRequest(BaseModel):
    """A service and its own secret."""

    service: Annotated[str, Field(max_length=64)]
    secret: Annotated[str, Field(max_length=1024)]


class ServiceTokenAnswer(BaseModel):
    """A token; `expires_at` in seconds since 1970."""

    token: str
    expires_at: int


@router.post("/service-tokens")
async def create_service_token(request: Request, asked: TokenRequest) -> ServiceTokenAnswer:
    """Exchange a service's secret for a token of a few minutes."""
    made = await tokens.issue_service_token(context_of(request), asked.service, asked.secret)
    return ServiceTokenAnswer(token=made.token, expires_at=int(made.expires_at.timestamp()))


@router.get("/jwks")
async def read_keys(request: Request) -> dict[str, Any]:
    """The public keys, as a JSON Web Key Set (RFC 7517)."""
    return await keys.published_key_set(context_of(request))
