"""The system that is backed up, or that a backup becomes: its engines, its store and its credentials."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from psycopg.conninfo import conninfo_to_dict

from common.settings import StoreSettings

SERVICES = ("auth", "upload", "share", "chat")
_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


class Programs(Protocol):
    """Finds a program of PostgreSQL."""

    def __call__(self, name: str) -> Path: ...


@dataclass(frozen=True, slots=True)
class System:
    """Everything that holds state."""

    database_admin_url: str
    valkey_url: str
    store: StoreSettings
    credentials: Mapping[str, str]
    programs: Programs

    def database_url(self, service: str, password: str) -> str:
        """The URL of a service's database, for its own role."""
        admin = urlsplit(self.database_admin_url)
        server = admin.netloc.rpartition("@")[2]
        return urlunsplit(admin._replace(netloc=f"{service}:{password}@{server}", path=f"/{service}"))

    def admin_url(self, database: str) -> str:
        """The URL of a database, for the administrator."""
        return urlunsplit(urlsplit(self.database_admin_url)._replace(path=f"/{database}"))

    def variables(self, database: str) -> dict[str, str]:
        """The environment of PostgreSQL's programs. A command line, which everybody can read, must not hold these."""
        given = conninfo_to_dict(self.database_admin_url)
        found = {variable: str(given[name]) for name, variable in _VARIABLES.items() if given.get(name)}
        return {**found, "PGDATABASE": database, "LC_ALL": "C.UTF-8"}
