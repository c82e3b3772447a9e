"""Every credential of the stack, generated at its first start and kept in `secrets.json` of the data folder."""

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.local.files import write_private

SERVICES = ("auth", "upload", "share", "chat")
CALLERS = ("upload", "share")
"""The services that call others, and so have a credential of their own."""
NAMES = (
    "postgres_admin",
    *(f"postgres_{name}" for name in SERVICES),
    "valkey",
    "store_access_key",
    "store_secret_key",
    *(f"service_{name}" for name in CALLERS),
    "download_key",
)


class Credentials(Mapping[str, str]):
    """Credentials by name, as hex: safe in a URL, a configuration file and a command."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return "Credentials(…)"


def load(data: Path) -> Credentials:
    """Read them, generating those that are missing."""
    path = data / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing = [name for name in NAMES if name not in known]
    if missing:
        known |= {name: secrets.token_hex(20 if name.startswith("store_") else 32) for name in missing}
        write_private(path, json.dumps(known, indent=2) + "\n")
    return Credentials(known)
