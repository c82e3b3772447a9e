"""The cache of credentials in Valkey, and the worth of a token's signature without it."""

import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from common import credentials
from common.credentials import CredentialCache, CredentialsUnavailable, Unknown, session_name
from common.identities import Identities
from common.identity import (
    CredentialsMalformed,
    CredentialsMissing,
    Identity,
    Role,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
)
from common.tokens.public_keys import PublicKeys
from common.tokens.users import UserTokens

CLOSED = "redis://127.0.0.1:1/0"
KID = "the key"


def identity(**changes: Any) -> Identity:
    made = Identity(uuid4(), "ä name", Role.USER, uuid4(), datetime.now(UTC).replace(microsecond=0) + timedelta(days=1))
    return replace(made, **changes)


class Source:
    """Knows some credentials, and counts how often it is asked."""

    def __init__(self) -> None:
        self.known: dict[str, Identity] = {}
        self.asked = 0

    async def credential(self, name: str) -> Identity | None:
        self.asked += 1
        return self.known.get(name)


@pytest.fixture
async def cache(valkey_url: str) -> AsyncGenerator[CredentialCache]:
    made = CredentialCache(valkey_url)
    yield made
    await made.close()


@pytest.fixture
async def no_cache() -> AsyncGenerator[CredentialCache]:
    """A cache whose Valkey is down."""
    made = CredentialCache(CLOSED)
    yield made
    await made.close()


@pytest.fixture(scope="module")
def private_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


Sign = Callable[..., str]


@pytest.fixture
def sign(private_key: Ed25519PrivateKey) -> Sign:
    def signed(of: Identity, kid: str = KID, key: Ed25519PrivateKey = private_key, **changes: Any) -> str:
        ends = int(of.expires_at.timestamp()) if of.expires_at else 0
        claims = {"sub": of.account_id.hex, "jti": of.credential_id.hex, "aud": "waystation", "exp": ends} | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, key, "EdDSA", {"kid": kid})

    return signed


@pytest.fixture
def tokens(private_key: Ed25519PrivateKey) -> UserTokens:
    async def read() -> dict[str, Any]:
        public = OKPAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": KID, "alg": "EdDSA", "use": "sig"}]}

    return UserTokens(PublicKeys(read))


async def test_a_reader_asks_once_and_then_knows(cache: CredentialCache, tokens: UserTokens, sign: Sign) -> None:
    someone, source = identity(), Source()
    source.known[session_name(someone.credential_id)] = someone
    identities = Identities(tokens, cache, source)
    for _ in range(3):
        assert await identities.of_header(f"Bearer {sign(someone)}") == someone
    assert source.asked == 1


async def test_what_is_nobodys_is_remembered_too(cache: CredentialCache, tokens: UserTokens, sign: Sign) -> None:
    source = Source()
    identities = Identities(tokens, cache, source)
    token = sign(identity())
    for _ in range(3):
        with pytest.raises(TokenRevoked):
            await identities.of_token(token)
    assert source.asked == 1


async def test_a_revoked_session_is_refused_at_once(cache: CredentialCache, tokens: UserTokens, sign: Sign) -> None:
    someone, source = identity(), Source()
    name = session_name(someone.credential_id)
    source.known[name] = someone
    identities = Identities(tokens, cache, source)
    token = sign(someone)
    await identities.of_token(token)
    await cache.revoke([name])
    with pytest.raises(TokenRevoked):
        await identities.of_token(token)
    # A reader who read the row before it went cannot bring it back.
    await cache.fill(name, someone)
    with pytest.raises(TokenRevoked):
        await identities.of_token(token)


async def test_a_change_replaces_what_was_known_and_what_was_read_before_it_does_not(cache: CredentialCache) -> None:
    old = identity()
    new = replace(old, name="another", role=Role.ADMINISTRATOR)
    name = session_name(old.credential_id)
    await cache.fill(name, old)
    await cache.put(name, new)
    await cache.fill(name, old)
    assert await cache.get(name) == new


async def test_what_is_known_is_forgotten_after_a_while(
    cache: CredentialCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "FILL_SECONDS", 1)
    someone = identity(expires_at=None)
    name = session_name(someone.credential_id)
    await cache.fill(name, someone)
    assert await cache.get(name) == someone
    until = time.monotonic() + 10
    while await cache.get(name) is not Unknown.UNKNOWN:
        assert time.monotonic() < until


async def test_without_valkey_readers_ask_and_nobody_changes(
    no_cache: CredentialCache, tokens: UserTokens, sign: Sign
) -> None:
    someone, source = identity(), Source()
    source.known[session_name(someone.credential_id)] = someone
    assert await Identities(tokens, no_cache, source).of_token(sign(someone)) == someone
    with pytest.raises(CredentialsUnavailable):
        await no_cache.revoke(["session:x"])
    with pytest.raises(CredentialsUnavailable):
        await no_cache.put("session:x", someone)
    with pytest.raises(CredentialsUnavailable):
        await no_cache.ready()


async def test_a_session_that_ended_by_itself_is_expired_however_well_it_is_known(
    cache: CredentialCache, tokens: UserTokens, sign: Sign
) -> None:
    over = identity(expires_at=datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1))
    source = Source()
    source.known[session_name(over.credential_id)] = over
    with pytest.raises(TokenExpired):
        await Identities(tokens, cache, source).of_token(sign(over))
    later = int(time.time()) + 1000
    with pytest.raises(TokenExpired):
        await Identities(tokens, cache, source).of_token(sign(over, exp=later))


async def test_an_api_key_is_known_with_its_own_token_alone(cache: CredentialCache, tokens: UserTokens) -> None:
    someone, source = identity(expires_at=None), Source()
    source.known[credentials.key_name(credentials.digest("a" * 32), credentials.digest("b" * 32))] = someone
    identities = Identities(tokens, cache, source)
    assert await identities.of_key("a" * 32, "b" * 32) == someone
    for pair in (("a" * 32, "c" * 32), ("b" * 32, "a" * 32), ("a" * 33, "b" * 31)):
        with pytest.raises(TokenRevoked):
            await identities.of_key(*pair)


async def test_headers_of_every_form_are_told_apart(cache: CredentialCache, tokens: UserTokens) -> None:
    identities = Identities(tokens, cache, Source())
    for header in (None, ""):
        with pytest.raises(CredentialsMissing):
            await identities.of_header(header)
    for header in ("Bearer", "Bearer ", "Digest x", "x", "Basic", "Basic !", "Basic eA==", "Basic \u00e4"):
        with pytest.raises(CredentialsMalformed):
            await identities.of_header(header)
    with pytest.raises(TokenInvalid):
        await identities.of_header("Bearer null")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "waystation-internal"},
        {"aud": None},
        {"sub": None},
        {"jti": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 10**30},
        {"sub": "no uuid"},
        {"jti": 5},
        {"kid": "another key"},
        {"key": Ed25519PrivateKey.generate()},
    ],
    ids=lambda changes: next(f"{name}" for name in changes),
)
async def test_a_token_that_says_something_else_is_not_valid(
    tokens: UserTokens, sign: Sign, changes: dict[str, Any]
) -> None:
    with pytest.raises(TokenInvalid):
        await tokens.claims(sign(identity(), **changes))


async def test_only_the_one_algorithm_is_accepted(
    tokens: UserTokens, sign: Sign, private_key: Ed25519PrivateKey
) -> None:
    someone = identity()
    claims = jwt.decode(sign(someone), options={"verify_signature": False})
    public = private_key.public_key().public_bytes_raw()
    for secret, algorithm in (("", "none"), (public * 2, "HS256"), (public.hex(), "HS512")):
        with pytest.raises(TokenInvalid):
            await tokens.claims(jwt.encode(claims, secret, algorithm, {"kid": KID}))
    assert (await tokens.claims(sign(someone))).account_id == someone.account_id


async def test_a_checked_token_still_expires(tokens: UserTokens, sign: Sign, monkeypatch: pytest.MonkeyPatch) -> None:
    someone = identity()
    token = sign(someone)
    await tokens.claims(token)
    assert someone.expires_at
    monkeypatch.setattr("common.clock.now", lambda: someone.expires_at)
    with pytest.raises(TokenExpired):
        await tokens.claims(token)
