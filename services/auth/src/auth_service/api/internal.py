"""How services come by the tokens that they show to one another, and by the keys to check them."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from auth_service import operations
from auth_service.state import state_of
from common import clock

router = APIRouter(prefix="/internal")


class TokenRequest(BaseModel):
    """A service and its own secret."""

    service: Annotated[str, Field(max_length=64)]
    secret: Annotated[str, Field(max_length=1024)]


class TokenAnswer(BaseModel):
    """A token; `expires_at` in seconds since 1970."""

    token: str
    expires_at: int


@router.post("/service-tokens")
async def create_service_token(request: Request, asked: TokenRequest) -> TokenAnswer:
    """Exchange a service's secret for a token of a few minutes."""
    state = state_of(request)
    operations.check_secret(state.service_secrets, asked.service, asked.secret)
    now = clock.now()
    async with state.database.transaction() as connection:
        keys = await operations.signing_keys(connection, now)
    made = operations.sign_service_token(keys, asked.service, now)
    return TokenAnswer(token=made.token, expires_at=int(made.expires_at.timestamp()))


@router.get("/jwks")
async def read_keys(request: Request) -> dict[str, Any]:
    """The public keys."""
    async with state_of(request).database.transaction() as connection:
        return operations.key_set(await operations.signing_keys(connection, clock.now()))
