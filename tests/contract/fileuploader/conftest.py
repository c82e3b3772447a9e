"""The two hosts that File Uploader's clients call: the one that all dialects share, and the one of this dialect."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.traces import Traces

ForgeToken = Callable[..., str]
SHARED, OWN = "127.0.0.1", "fileuploader.example.org"


@pytest.fixture(scope="package", params=[SHARED, OWN], ids=["shared host", "own host"])
def uploader(stack: StartedStack, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client on either host."""
    port = stack.ports["gateway"]
    with client_of(stack, Host=f"{request.param}:{port}") as client:
        yield client


@pytest.fixture(scope="package")
def sign_token(stack: StartedStack, traces: Traces) -> ForgeToken:
    """A function that signs a token with the system's own key, whether its session exists or not."""
    # The system creates its first key when the public keys are first requested.
    assert httpx.get(f"{stack.url}/v1/auth/jwks").status_code == 200

    def sign(**changes: object) -> str:
        kid, seed = traces.ask("auth", "select kid, private_key from signing_key where retired_at is null")[0]
        now = datetime.now(UTC)
        ends = int((now + timedelta(days=5)).timestamp())
        account = uuid4().hex
        claims = {
            "sub": account,
            "user_id": account,
            "jti": uuid4().hex,
            "aud": "waystation",
            "iat": int(now.timestamp()),
        }
        claims |= {"exp": ends, "ExpiresAt": ends} | changes
        return jwt.encode(claims, Ed25519PrivateKey.from_private_bytes(seed), "EdDSA", {"kid": kid})

    return sign
