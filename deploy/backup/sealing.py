"""Sealing the credentials of a system with a passphrase: scrypt makes the key, AES-256-GCM seals.

The work that scrypt has to do, 64 MiB and about a fifth of a second, is paid by everybody who guesses.
"""

import base64
import json
import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from deploy.backup.errors import BackupError, Damaged

COST = 2**16
BLOCK = 8
KEY_BYTES, SALT_BYTES, NONCE_BYTES = 32, 16, 12
SHORTEST = 12
"""Characters of a passphrase."""


class WrongPassphrase(BackupError):
    """The passphrase is not the one with which this backup was sealed."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def seal(content: bytes, passphrase: str) -> bytes:
    """Raises `BackupError` if the passphrase is too short to protect anything."""
    if len(passphrase) < SHORTEST:
        raise BackupError(f"a passphrase must have at least {SHORTEST} characters")
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(_key(passphrase, salt, COST)).encrypt(nonce, content, None)
    parts = {"salt": salt, "nonce": nonce, "sealed": sealed}
    encoded = {name: base64.b64encode(value).decode() for name, value in parts.items()}
    return json.dumps({"kdf": "scrypt", "cost": COST, **encoded}).encode()


def unseal(text: bytes, passphrase: str) -> bytes:
    """The inverse of `seal`. Raises `WrongPassphrase`, or `Damaged` if this is nothing that `seal` wrote."""
    try:
        found: dict[str, Any] = json.loads(text)
        salt, nonce, sealed = (base64.b64decode(found[name], validate=True) for name in ("salt", "nonce", "sealed"))
        key = _key(passphrase, salt, {COST: COST}[found["cost"]])
    except (ValueError, KeyError, TypeError):
        raise Damaged("the sealed credentials are damaged") from None
    try:
        return AESGCM(key).decrypt(nonce, sealed, None)
    except (InvalidTag, ValueError):
        raise WrongPassphrase from None


def _key(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=KEY_BYTES, n=cost, r=BLOCK, p=1).derive(passphrase.encode())
