from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from auth_service.sessions.model import BOT_LIFETIME, SESSION_LIFETIME, Session, SessionKind
from auth_service.sessions.tokens import sign_session
from auth_service.signing.keys import key_set
from auth_service.signing.model import KEY_KEPT, KEY_LEAD, SERVICE_TOKEN_LIFETIME, SigningKey
from auth_service.signing.tokens import check_secret, sign_service_token
from common.errors import Unauthenticated
from common.tokens.services import ALGORITHM, AUDIENCE

NOW = datetime.now(UTC)
SECRETS = {"share": "share's secret", "upload": "upload's secret", "empty": ""}


def signing_key(kid: str) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    return SigningKey(kid, private.private_bytes_raw(), private.public_key().public_bytes_raw(), NOW, None)


def decoded(token: str, keys: list[SigningKey]) -> dict[str, Any]:
    published = jwt.PyJWKSet.from_dict(key_set(keys))
    key = published[jwt.get_unverified_header(token)["kid"]]
    # Expiry is not checked, because the tokens are as old as the import of this module.
    return jwt.decode(token, key, [ALGORITHM], audience=AUDIENCE, options={"verify_exp": False})


def test_a_token_names_its_service_and_is_checked_with_the_published_key() -> None:
    keys = [signing_key("a")]
    made = sign_service_token(keys, "share", NOW)
    assert decoded(made.token, keys)["sub"] == "share"
    assert made.expires_at == NOW + SERVICE_TOKEN_LIFETIME == NOW + timedelta(minutes=5)


def test_a_retired_key_signs_nothing_but_its_tokens_are_still_checked() -> None:
    old = signing_key("old")
    token = sign_service_token([old], "share", NOW).token
    keys = [replace(old, retired_at=NOW), signing_key("new")]
    assert jwt.get_unverified_header(sign_service_token(keys, "share", NOW).token)["kid"] == "new"
    assert decoded(token, keys)["sub"] == "share"


def test_only_public_keys_are_published() -> None:
    key = signing_key("a")
    assert set(key_set([key])["keys"][0]) == {"kty", "crv", "alg", "use", "kid", "x"}


@given(st.sampled_from(["share", "upload", "empty", "nobody"]), st.text(max_size=20))
def test_a_wrong_secret_is_refused(service: str, secret: str) -> None:
    with pytest.raises(Unauthenticated):
        check_secret(SECRETS, service, secret)


def test_a_service_is_known_by_its_own_secret_alone() -> None:
    check_secret(SECRETS, "share", "share's secret")
    with pytest.raises(Unauthenticated):
        check_secret(SECRETS, "upload", "share's secret")


def session(lifetime: timedelta) -> Session:
    return Session(uuid4(), uuid4(), SessionKind.TOKEN, "", None, NOW, NOW + lifetime)


def test_a_persons_token_names_account_and_session() -> None:
    keys = [signing_key("a")]
    opened = session(timedelta(days=5))
    token = sign_session(keys, opened)
    claims = jwt.decode(token, jwt.PyJWKSet.from_dict(key_set(keys))["a"], [ALGORITHM], audience="waystation")
    assert claims["sub"] == claims["user_id"] == str(opened.account_id)
    assert claims["jti"] == str(opened.id)
    assert claims["exp"] == claims["ExpiresAt"] == int((NOW + timedelta(days=5)).timestamp())
    with pytest.raises(jwt.InvalidAudienceError):
        decoded(token, keys)


def test_a_key_signs_from_its_time_on_until_the_next_key_does() -> None:
    old, new = (
        replace(signing_key("old"), retired_at=NOW + KEY_LEAD),
        replace(signing_key("new"), created_at=NOW + KEY_LEAD),
    )

    def kid(moment: datetime) -> str:
        return jwt.get_unverified_header(sign_service_token([new, old], "share", moment).token)["kid"]

    assert [kid(NOW), kid(NOW + KEY_LEAD - timedelta(milliseconds=1)), kid(NOW + KEY_LEAD)] == ["old", "old", "new"]
    # The clock of the signing process may be behind that of the process that created the very first key.
    assert kid(NOW - timedelta(days=1)) == "new"


def test_no_token_outlives_the_publication_of_its_key() -> None:
    assert max(BOT_LIFETIME, SESSION_LIFETIME, SERVICE_TOKEN_LIFETIME) < KEY_KEPT
