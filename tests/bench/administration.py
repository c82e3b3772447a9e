"""Measures what an administrator sees of very many shares: pages of them, a search, and the dashboard's sums."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import psycopg

from common.places import Place
from deploy.local import credentials, postgres
from deploy.local.stack import RunningStack
from share_service.administration.model import Order
from share_service.administration.places import text_of
from tests.bench.options import Options
from tests.bench.systems import Systems

CALLS = 60
CALLED: Mapping[str, str] = {
    "list": "/v1/admin/shares",
    "deep page": "/v1/admin/shares?after={deep}",
    "search": "/v1/admin/shares?search=holiday%20777",
    "search of all": "/v1/admin/shares?search=holiday",
    "dashboard": "/v1/admin/summary",
    "statistics": "/v1/admin/statistics",
}
# Shares that come after the last one of the deep page's predecessor.
_BEHIND = 1000
SHARES = """
insert into share (id, code, kind, body, name, size, created_at, owner)
select gen_random_uuid(), 'bench ' || n, 'text', 'x', 'holiday ' || n || '.txt', 1, now() - n * interval '1 second',
    gen_random_uuid()
from generate_series(1, %s) n
"""


@dataclass(frozen=True, slots=True)
class Administration:
    """The milliseconds of each call, by the names of what is asked for, beside so many shares."""

    shares: int
    milliseconds: dict[str, list[float]]


def measure(systems: Systems, options: Options) -> Administration:
    with _connected(systems.stack) as connection:
        # No webhook is told of these.
        connection.execute("set session_replication_role = replica")
        connection.execute(SHARES, [options.shares])
        connection.execute("vacuum analyze share")
        deep = _deep(connection)
    with _administrator(systems.stack) as client:
        found = {name: _asked(client, path.format(deep=deep)) for name, path in CALLED.items()}
    return Administration(options.shares, found)


def _deep(connection: psycopg.Connection) -> str:
    """The place near the end of the list at which a page begins."""
    statement = "select created_at, id from share order by created_at, id offset %s limit 1"
    row = connection.execute(statement, [_BEHIND]).fetchone()
    assert row
    return quote(text_of(Place(*row), Order("created_at", descending=True)))


def _asked(client: httpx.Client, path: str) -> list[float]:
    found: list[float] = []
    for number in range(CALLS + 1):
        begun = time.perf_counter()
        client.get(path).raise_for_status()
        if number:
            # The first one only warms up.
            found.append(1000 * (time.perf_counter() - begun))
    return found


def _connected(stack: RunningStack) -> psycopg.Connection:
    password = credentials.load(stack.folder)["postgres_admin"]
    url = postgres.admin_url(stack.ports["postgres"], password)
    return psycopg.connect(url, dbname="share", autocommit=True)


def _administrator(stack: RunningStack) -> httpx.Client:
    asked = {"name": "admin", "password": credentials.load(stack.folder)["admin_password"]}
    token = httpx.post(f"{stack.url}/v1/auth/login", json=asked, timeout=60).raise_for_status().json()["token"]
    return httpx.Client(base_url=stack.url, timeout=60, headers={"Authorization": f"Bearer {token}"})
