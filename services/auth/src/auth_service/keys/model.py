"""API keys."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.credentials import key_name
from common.errors import Conflict, NotFound

API_KEYS_AT_MOST = 200
HINT_LENGTH = 4


class TooManyKeys(Conflict):
    """An account has 200 API keys at most."""

    code = "too_many_keys"


class KeyNotFound(NotFound):
    """There is no such API key."""

    code = "key_not_found"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is stored: its digests, and a hint by which its owner recognises it."""

    id: UUID
    account_id: UUID
    name: str
    key_digest: bytes
    token_digest: bytes
    hint: str
    created_at: datetime

    @property
    def credential_name(self) -> str:
        """The name of the key's credential in the cache."""
        return key_name(self.key_digest, self.token_digest)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An API key and its token, which their owner sees once."""

    api_key: str
    api_token: str

    @staticmethod
    def new() -> "KeyPair":
        """32 lower-case hex digits each, as the clients of MirrorAce expect."""
        return KeyPair(secrets.token_hex(16), secrets.token_hex(16))
