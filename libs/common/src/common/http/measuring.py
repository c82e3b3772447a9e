"""The numbers of a service for Prometheus, at `/internal/metrics`, which the gateway does not route."""

import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Response
from starlette.datastructures import Headers
from starlette.types import Scope

from common import metrics
from common.errors import DomainError
from common.metrics import Gauge, Histogram, process
from common.statistics import DIALECTS, HEADER, NATIVE, SYSTEM

KEPT_SECONDS = 10.0
"""The age that the backlog may have: counting it asks the database, and several may scrape."""

REQUESTS = Histogram(
    "waystation_http_request_seconds",
    "Requests and their times, by the route's template.",
    ["method", "route", "status"],
)
BACKLOG = Gauge("waystation_backlog", "Rows that wait for a sweep or a worker, by kind.", ["kind"])
FAILED, FULL = 500, 507
"""507 is the answer to what finds no room in a quota, which is no failure, or on the disk, which has its own alert."""
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))

assert process.INFO, "imported, so that every service has the numbers of its process"


def observe(method: str, route: str, status: int, seconds: float) -> None:
    """Count an answered request. Statuses are counted by their first digit, so that there are few series."""
    kind = str(status) if status == FULL else f"{status // 100}xx"
    REQUESTS.observe(seconds, method if method in _METHODS else metrics.OTHER, route, kind)


def is_failure(status: int) -> bool:
    """Whether an answer of this status says that the system failed."""
    return status >= FAILED and status != FULL


def dialect_of(scope: Scope) -> str:
    """The dialect of a request: that of its route or, if another service asks, the one in which that was asked.

    Before the request has found its route, it counts as a native one.
    """
    module = getattr(getattr(scope.get("route"), "endpoint", None), "__module__", "")
    _, _, named = module.partition(".dialects.")
    found = named.partition(".")[0]
    if not found and scope["path"].startswith("/internal/"):
        sent = Headers(scope=scope).get(HEADER, "")
        return sent if sent in DIALECTS else SYSTEM
    return found if found in DIALECTS else NATIVE


def add_metrics(app: FastAPI, backlog: Callable[[], Awaitable[dict[str, int]]] | None) -> None:
    """Answer scrapes. When the backlog cannot be counted, the last one is not shown any longer."""
    counted_at = float("-inf")

    async def scrape() -> Response:
        nonlocal counted_at
        if backlog and time.monotonic() >= counted_at + KEPT_SECONDS:
            counted_at = time.monotonic()
            BACKLOG.clear()
            try:
                for kind, count in (await backlog()).items():
                    BACKLOG.set(kind, to=count)
            except DomainError:
                counted_at = float("-inf")
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)

    app.add_api_route("/internal/metrics", scrape, methods=["GET"], include_in_schema=False)
