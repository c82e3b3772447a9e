"""The credentials of the stack. The first start generates them and keeps them in `secrets.json` of the data folder."""

import json
import secrets
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from deploy.local.files import write_private

SERVICES = ("auth", "upload", "share", "chat")
ADMIN_PASSWORD = "admin_password"  # noqa: S105  (its name)
NAMES = (
    "postgres_admin",
    *(f"postgres_{name}" for name in SERVICES),
    "valkey",
    *(f"service_{name}" for name in SERVICES),
    "download_key",
    "mirror_key",
    "gateway",
    ADMIN_PASSWORD,
)


class Credentials(Mapping[str, str]):
    """Credentials by name, as hex, which is safe in a URL, a configuration file and a command."""

    def __init__(self, values: Mapping[str, str], generated: Collection[str] = ()) -> None:
        self._values = dict(values)
        self.generated = frozenset(generated)
        """The names of the credentials that did not exist before."""

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return "Credentials(…)"


def file(data: Path) -> Path:
    """The file of a data folder's credentials."""
    return data / "secrets.json"


def load(data: Path) -> Credentials:
    """Read the credentials, and generate those that are missing."""
    path = file(data)
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing = [name for name in NAMES if name not in known]
    if missing:
        known |= {name: secrets.token_hex(_size(name)) for name in missing}
        write_private(path, json.dumps(known, indent=2) + "\n")
    return Credentials(known, generated=missing)


def _size(name: str) -> int:
    """Bytes of randomness: fewer where a person types the password."""
    return 12 if name == ADMIN_PASSWORD else 32
