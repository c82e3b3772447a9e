"""Looking at every part of the system. A part that does not answer is shown as such, and delays nothing for long."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from common.audit import Author
from common.calls import NoAnswer
from common.db.rows import fetch_value
from common.errors import DomainError
from common.health import OK
from common.version import VERSION
from share_service.context import Context
from share_service.health.model import Health

PATIENCE_SECONDS = 5.0

_VERSION = re.compile(r"(?:valkey|redis)_version:([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Service:
    """A service. None: it did not say so."""

    name: str
    version: str | None
    started_at: str | None
    healthy: bool
    detail: dict[str, str]
    """The states of what it depends on."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A program that services stand on."""

    name: str
    version: str | None
    healthy: bool
    detail: str
    """`ok`, or the code of an error."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows that wait for a sweep or a worker."""

    service: str
    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Own:
    """The part that this process knows of itself."""

    started_at: str
    backlog: Callable[[], Awaitable[dict[str, int]]]


@dataclass(frozen=True, slots=True)
class System:
    """The whole system. `queues` and `store`: as the upload service sees them."""

    services: list[Service]
    engines: list[Engine]
    queues: list[dict[str, Any]]
    backlog: list[Waiting]
    store: dict[str, Any] | None


async def look_at_system(context: Context, author: Author, health: Health, own: Own) -> System:
    """The state of every part. Raises `Forbidden`."""
    author.require_administrator()
    names = ("share", *context.service_urls)
    alive, waiting, store, queues, database, valkey = await asyncio.gather(
        asyncio.gather(*(_asked(context, f"{url}/internal/health/live") for url in context.service_urls.values())),
        asyncio.gather(
            _own_backlog(own), *(_asked(context, f"{url}/internal/backlog") for url in context.service_urls.values())
        ),
        _of_upload(context, "/internal/system/store"),
        _of_upload(context, "/internal/system/queues"),
        _database_version(context),
        _valkey_version(context),
    )
    services = [
        Service(name, said.get("version"), said.get("started_at"), _is_well(health, name), dict(health.services[name]))
        for name, said in zip(names, ({"version": VERSION, "started_at": own.started_at}, *alive), strict=True)
    ]
    states, content = health.services["share"], health.services["upload"]
    engines = [
        Engine("postgresql", database, states.get("database") == OK, states.get("database", "unavailable")),
        Engine("valkey", valkey, states.get("limits") == OK, states.get("limits", "unavailable")),
        Engine("store", None, content.get("store") == OK, content.get("store", "unavailable")),
    ]
    backlog = [
        Waiting(service, name, rows)
        for service, found in zip(names, waiting, strict=True)
        for name, rows in sorted(found.items())
    ]
    return System(services, engines, (queues or {}).get("queues", []), backlog, store)


def _is_well(health: Health, name: str) -> bool:
    return all(state == OK for state in health.services[name].values())


async def _asked(context: Context, url: str) -> dict[str, Any]:
    """The answer of a service; empty if there is none."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await context.calls.send("GET", url)
        return answer.json() if answer.status < 400 else {}
    except (NoAnswer, TimeoutError, ValueError):
        return {}


async def _own_backlog(own: Own) -> dict[str, int]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await own.backlog()
    except (DomainError, TimeoutError):
        return {}


async def _of_upload(context: Context, path: str) -> dict[str, Any] | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await context.upload.call("POST", path)
    except (DomainError, TimeoutError):
        return None


async def _database_version(context: Context) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), context.db.connection() as connection:
            return await fetch_value(connection, "show server_version", {})
    except (DomainError, TimeoutError):
        return None


async def _valkey_version(context: Context) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await context.limiter.call("INFO", "server")
    except (DomainError, TimeoutError):
        return None
    versions = _VERSION.findall(found.decode(errors="replace"))
    # Valkey also names the version of Redis with which it is compatible, first.
    return versions[-1] if versions else None
