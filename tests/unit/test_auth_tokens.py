from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from auth_service import operations
from auth_service.model import TOKEN_LIFETIME, SigningKey
from common.errors import Unauthenticated
from common.http.service_tokens import ALGORITHM, AUDIENCE

NOW = datetime.now(UTC)
SECRETS = {"share": "share's secret", "upload": "upload's secret", "empty": ""}


def signing_key(kid: str) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    return SigningKey(kid, private.private_bytes_raw(), private.public_key().public_bytes_raw(), NOW, None)


def decoded(token: str, keys: list[SigningKey]) -> dict[str, Any]:
    published = jwt.PyJWKSet.from_dict(operations.key_set(keys))
    return jwt.decode(token, published[jwt.get_unverified_header(token)["kid"]], [ALGORITHM], audience=AUDIENCE)


def test_a_token_names_its_service_and_is_checked_with_the_published_key() -> None:
    keys = [signing_key("a")]
    made = operations.sign_service_token(keys, "share", NOW)
    assert decoded(made.token, keys)["sub"] == "share"
    assert made.expires_at == NOW + TOKEN_LIFETIME == NOW + timedelta(minutes=5)


def test_a_retired_key_signs_nothing_but_its_tokens_are_still_checked() -> None:
    old = signing_key("old")
    token = operations.sign_service_token([old], "share", NOW).token
    keys = [replace(old, retired_at=NOW), signing_key("new")]
    assert jwt.get_unverified_header(operations.sign_service_token(keys, "share", NOW).token)["kid"] == "new"
    assert decoded(token, keys)["sub"] == "share"


def test_only_public_keys_are_published() -> None:
    key = signing_key("a")
    assert set(operations.key_set([key])["keys"][0]) == {"kty", "crv", "alg", "use", "kid", "x"}


@given(st.sampled_from(["share", "upload", "empty", "nobody"]), st.text(max_size=20))
def test_a_wrong_secret_is_refused(service: str, secret: str) -> None:
    with pytest.raises(Unauthenticated):
        operations.check_secret(SECRETS, service, secret)


def test_a_service_is_known_by_its_own_secret_alone() -> None:
    operations.check_secret(SECRETS, "share", "share's secret")
    with pytest.raises(Unauthenticated):
        operations.check_secret(SECRETS, "upload", "share's secret")
