"""Forged, expired and mixed-up credentials are refused, for people and for services."""

import base64
import hmac
import json
import secrets
import time
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from common.credentials import opaque_name, session_name
from common.identity import Identity
from tests.integration.auth.running import PASSWORD, AuthService, Person, new_name
from tests.integration.share.running_share import SECRETS


def signing_key(auth: AuthService) -> tuple[str, Ed25519PrivateKey]:
    ((kid, seed),) = auth.rows("select kid, private_key from signing_key where retired_at is null")
    return kid, Ed25519PrivateKey.from_private_bytes(seed)


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def refusal(auth: AuthService, token: str) -> tuple[int, str]:
    answer = auth.client(token=token).get("/v1/account")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    return answer.status_code, answer.json()["code"]


def b64(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_a_token_says_what_the_clients_of_all_dialects_read(auth: AuthService, person: Person) -> None:
    claims = claims_of(person.token)
    assert claims["user_id"] == claims["sub"] == str(person.id)
    assert claims["exp"] == claims["ExpiresAt"] == pytest.approx(time.time() + 432_000, abs=60)
    bot = claims_of(auth.sign_in(person, bot=True).token)
    assert bot["ExpiresAt"] == pytest.approx(time.time() + 15_552_000, abs=60)


def test_an_unsigned_token_is_refused(auth: AuthService, person: Person) -> None:
    kid = jwt.get_unverified_header(person.token)["kid"]
    for algorithm in ("none", "None", "NONE", "nOnE"):
        token = f"{b64({'alg': algorithm, 'typ': 'JWT', 'kid': kid})}.{b64(claims_of(person.token))}."
        assert refusal(auth, token) == (401, "token_invalid")
    head, body, _ = person.token.split(".")
    assert refusal(auth, f"{head}.{body}.") == (401, "token_invalid")


def test_the_public_key_is_no_secret_to_sign_with(auth: AuthService, person: Person) -> None:
    kid, key = signing_key(auth)
    public = key.public_key()
    spellings = [
        public.public_bytes_raw(),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(httpx.get(f"{auth.url}/v1/auth/jwks").json()["keys"][0]).encode(),
    ]
    for secret in spellings:
        for algorithm, digest in (("HS256", "sha256"), ("HS512", "sha512")):
            signed = f"{b64({'alg': algorithm, 'typ': 'JWT', 'kid': kid})}.{b64(claims_of(person.token))}"
            mac = hmac.digest(secret, signed.encode(), digest)
            token = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
            assert refusal(auth, token) == (401, "token_invalid")


def test_a_token_of_another_key_is_refused(auth: AuthService, person: Person) -> None:
    stranger = Ed25519PrivateKey.generate()
    for kid in ("unknown", signing_key(auth)[0], "../../etc/passwd", ""):
        token = jwt.encode(claims_of(person.token), stranger, "EdDSA", {"kid": kid})
        assert refusal(auth, token) == (401, "token_invalid")
    assert refusal(auth, jwt.encode(claims_of(person.token), stranger, "EdDSA")) == (401, "token_invalid")


def test_a_services_token_is_nobodys(auth: AuthService) -> None:
    asked = {"service": "share", "secret": SECRETS["share"]}
    token = httpx.post(f"{auth.url}/internal/service-tokens", json=asked).json()["token"]
    assert refusal(auth, token) == (401, "token_invalid")


def test_a_persons_token_is_no_services(auth: AuthService, person: Person) -> None:
    body = {"name": "session:" + uuid4().hex}
    answer = person.client.post("/internal/credentials", json=body)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("service", ["auth", "nobody"])
def test_only_those_who_need_it_may_ask_whose_a_credential_is(auth: AuthService, service: str) -> None:
    if service == "nobody":
        assert httpx.post(f"{auth.url}/internal/credentials", json={"name": "x"}).status_code == 401
    else:
        assert auth.internal("/internal/credentials", {"name": "x"}, service).status_code == 403


def test_a_token_whose_time_is_over_is_told_apart(auth: AuthService, person: Person) -> None:
    kid, key = signing_key(auth)
    past = int(time.time()) - 1
    token = jwt.encode({**claims_of(person.token), "exp": past, "ExpiresAt": past}, key, "EdDSA", {"kid": kid})
    assert refusal(auth, token) == (401, "token_expired")


@pytest.mark.parametrize("missing", ["exp", "sub", "jti", "aud"])
def test_a_signed_token_without_a_claim_is_refused(auth: AuthService, person: Person, missing: str) -> None:
    kid, key = signing_key(auth)
    claims = claims_of(person.token)
    del claims[missing]
    assert refusal(auth, jwt.encode(claims, key, "EdDSA", {"kid": kid})) == (401, "token_invalid")


def test_a_signed_token_of_no_session_is_refused(auth: AuthService, person: Person) -> None:
    kid, key = signing_key(auth)
    token = jwt.encode({**claims_of(person.token), "jti": str(uuid4())}, key, "EdDSA", {"kid": kid})
    assert refusal(auth, token) == (401, "token_revoked")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "credentials_missing"),
        ("Bearer", "credentials_malformed"),
        ("Bearer null", "token_invalid"),
        ("Bearer undefined", "token_invalid"),
        ("Bearer " + "x" * 5000, "token_invalid"),
        ("Token x", "credentials_malformed"),
        ("Basic !", "credentials_malformed"),
        ("Basic " + base64.b64encode(b"no colon").decode(), "credentials_malformed"),
        ("Basic " + base64.b64encode(b"key:token").decode(), "token_revoked"),
    ],
)
def test_a_header_of_no_use_is_answered_with_what_is_wrong(auth: AuthService, header: str, code: str) -> None:
    answer = auth.client().get("/v1/account", headers={"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_the_services_are_told_whose_a_session_is(auth: AuthService, person: Person) -> None:
    session = claims_of(person.token)["jti"].replace("-", "")
    for service in ("upload", "share", "chat"):
        answer = auth.internal("/internal/credentials", {"name": f"session:{session}"}, service).json()
        identity = Identity.from_json(answer["identity"])
        assert (identity.account_id, identity.name, identity.credential_id.hex) == (person.id, person.name, session)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "session:",
        "session:x",
        session_name(UUID(int=5)),
        opaque_name("x"),
        "opaque:zz",
        "key:00:00",
        "key:00",
        ":::",
    ],
)
def test_a_name_of_no_credential_is_nobodys(auth: AuthService, name: str) -> None:
    assert auth.internal("/internal/credentials", {"name": name}).json() == {"identity": None}


def test_a_random_text_is_no_name_of_a_signed_session(auth: AuthService) -> None:
    """Each kind of session is recognised only by its own kind of credential."""
    name = new_name()
    answer = auth.client().post("/v1/auth/register", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 201
    login = auth.client().post("/api/login", json={"username": name, "password": PASSWORD}).json()
    ((opaque_id,),) = auth.rows(
        "select session.id from session join account on account.id = account_id where name = %s and kind = 'opaque'",
        name,
    )
    kid, key = signing_key(auth)
    forged = jwt.encode({**claims_of(login["accessToken"]), "jti": str(opaque_id)}, key, "EdDSA", {"kid": kid})
    assert refusal(auth, forged) == (401, "token_revoked")
    assert refusal(auth, login["token"]) == (401, "token_invalid")


def test_random_garbage_is_refused(auth: AuthService) -> None:
    for _ in range(20):
        token = ".".join(secrets.token_urlsafe(secrets.randbelow(60)) for _ in range(3))
        assert refusal(auth, token) == (401, "token_invalid")
