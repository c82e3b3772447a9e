"""Service tokens as the called service checks them: a signature once, the expiry and the key at each call."""

import json
from datetime import UTC, datetime
from typing import Any, cast

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth_service.signing.keys import key_set
from auth_service.signing.model import SERVICE_TOKEN_LIFETIME, SigningKey
from auth_service.signing.tokens import sign_service_token
from common.calls import Answer, Calls
from common.errors import Unauthenticated
from common.tokens import public_keys, services
from common.tokens.services import TokenVerifier


def signing_key(kid: str) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    return SigningKey(
        kid, private.private_bytes_raw(), private.public_key().public_bytes_raw(), datetime.now(UTC), None
    )


class AuthStandIn:
    """The calls to an auth service that publishes these keys."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys = list(keys)

    async def send(self, _method: str, _url: str) -> Answer:
        return Answer(200, json.dumps(key_set(self.keys)).encode())


def verifier_of(auth: AuthStandIn) -> TokenVerifier:
    return TokenVerifier.asking(cast("Calls", auth), auth_url="http://auth")


async def test_the_signature_of_a_token_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    key = signing_key("a")
    token, checked = sign_service_token([key], "share", datetime.now(UTC)).token, list[str]()

    def decode(token: str, *given: Any, **options: Any) -> dict[str, Any]:
        checked.append(token)
        return decoded(token, *given, **options)

    decoded = jwt.decode
    monkeypatch.setattr(services.jwt, "decode", decode)
    verifier = verifier_of(AuthStandIn(key))
    assert [await verifier.service(token) for _ in range(3)] == ["share"] * 3
    assert checked == [token]
    forged = token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await verifier.service(forged)


async def test_a_remembered_token_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    key = signing_key("a")
    made = sign_service_token([key], "share", datetime.now(UTC) - SERVICE_TOKEN_LIFETIME / 2)
    verifier = verifier_of(AuthStandIn(key))
    assert await verifier.service(made.token) == "share"
    asked: list[str] = []
    monkeypatch.setattr(services.time, "time", lambda: made.expires_at.timestamp())
    monkeypatch.setattr(services.jwt, "decode", lambda token, *_, **__: asked.append(token) or _expired())
    with pytest.raises(Unauthenticated):
        await verifier.service(made.token)
    assert asked == [made.token], "it is not taken from memory"


async def test_a_remembered_token_ends_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    key = signing_key("a")
    auth = AuthStandIn(key)
    token, verifier = sign_service_token([key], "share", datetime.now(UTC)).token, verifier_of(auth)
    assert await verifier.service(token) == "share"
    auth.keys = [signing_key("b")]
    later = public_keys.time.monotonic() + public_keys.KEYS_SECONDS + 1
    monkeypatch.setattr(public_keys.time, "monotonic", lambda: later)
    with pytest.raises(Unauthenticated):
        await verifier.service(token)


def _expired() -> dict[str, Any]:
    raise jwt.ExpiredSignatureError
