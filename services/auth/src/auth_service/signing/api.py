"""Signing keys on the native API."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from auth_service.edge import context_of, not_stored
from auth_service.signing import keys
from common.http.authors import author_of
from common.http.callers import Administrator

router = APIRouter(prefix="/v1")


class SigningKeyAnswer(BaseModel):
    """A key that signs tokens from `created_at` on."""

    kid: str
    created_at: datetime


@router.get("/auth/jwks", tags=["auth"], dependencies=[Depends(not_stored)])
async def read_keys(request: Request) -> dict[str, Any]:
    """The public keys of all tokens, as a JSON Web Key Set (RFC 7517)."""
    return await keys.published_key_set(context_of(request))


@router.post("/signing-keys", status_code=201, tags=["administration"])
async def rotate_keys(request: Request, identity: Administrator) -> SigningKeyAnswer:
    """Let a new key sign tokens after a few seconds. Nobody is signed out."""
    made = await keys.rotate_keys(context_of(request), author_of(request, identity))
    return SigningKeyAnswer(kid=made.kid, created_at=made.created_at)
