"""The FastAPI application that every service begins with."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response

from common import clock, logging, start, tracing
from common.errors import StorageFull, Unavailable
from common.http import measuring, openapi, problems
from common.http.edge import ANY_ORIGIN, Edge
from common.http.matching import compare_beginnings
from common.http.server import ENDING
from common.policy import Policy
from common.settings import GatewaySettings
from common.version import VERSION

Check = Callable[[], Awaitable[None]]
Backlog = Callable[[], Awaitable[dict[str, int]]]
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    *,
    name: str,
    settings: GatewaySettings,
    lifespan: Lifespan,
    routers: Iterable[APIRouter],
    checks: Mapping[str, Check],
    backlog: Backlog | None = None,
    credentialed_paths: tuple[str, ...] = (),
    policy: Callable[[], Awaitable[Policy]] | None = None,
) -> FastAPI:
    """A FastAPI application with logging, request ids, client addresses, CORS, problem details, health and OpenAPI.

    `routers`: their routes are tried in this order. `checks`: a function for each dependency, by its name, that raises
    `Unavailable` if the dependency does not answer, or `StorageFull` if it takes nothing more; the readiness probe
    calls them all. `backlog`: how much is waiting for the service's sweeps, by kind; operators read it at
    `/internal/backlog`, and Prometheus with all other numbers at `/internal/metrics`. `credentialed_paths`: prefixes of
    paths that pages may call with `credentials: include`. `policy`: tells which origins' pages may call at all; None:
    those of all. The OpenAPI document of its native interface is
    at `/v1/openapi/<name>.json`.
    """
    logging.configure(level=settings.log_level, format=settings.log_format, service=name)
    tracing.begin(settings, name)
    app = FastAPI(
        title=f"Waystation {name}",
        version=VERSION,
        lifespan=_begun(lifespan),
        openapi_url=f"/v1/openapi/{name}.json",
        docs_url=None,
        redoc_url=None,
        # Its spans would tell paths and queries (`common.tracing` makes those of this system).
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    problems.install(app)
    openapi.install(app)
    _add_health(app, checks)
    if backlog:
        _add_backlog(app, backlog)
    measuring.add_metrics(app, backlog)
    for router in routers:
        # Not `include_router`: FastAPI would match every request twice, against the router and against its routes.
        app.router.routes.extend(router.routes)
    for route in app.router.routes:
        compare_beginnings(route)

    async def trusted_origins() -> Sequence[str]:
        return (await policy()).trusted_origins if policy else [ANY_ORIGIN]

    app.add_middleware(
        Edge,
        gateway_token=settings.gateway_token.get_secret_value(),
        credentialed_paths=credentialed_paths,
        trusted_origins=trusted_origins if policy else None,
    )
    return app


def _begun(lifespan: Lifespan) -> Lifespan:
    """The lifespan of a program that has started when it begins."""

    @asynccontextmanager
    async def begun(app: FastAPI) -> AsyncGenerator[None]:
        async with lifespan(app):
            start.started()
            yield

    return begun


def _add_health(app: FastAPI, checks: Mapping[str, Check]) -> None:
    started_at = app.state.started_at = clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")

    async def live() -> dict[str, str]:
        return {"status": "ok", "version": VERSION, "started_at": started_at}

    async def ready(request: Request, response: Response) -> dict[str, str]:
        states: dict[str, str] = {}
        if request.scope.get("state", {}).get(ENDING):
            states["process"] = "ending"
            response.status_code = 503
        for name, check in checks.items():
            try:
                await check()
                states[name] = "ok"
            except StorageFull as error:
                # It can still be asked for everything that stores nothing.
                states[name] = error.code
            except Unavailable as error:
                states[name] = error.code
                response.status_code = 503
                response.headers["Retry-After"] = "2"
        return states

    app.add_api_route("/internal/health/live", live, methods=["GET"], include_in_schema=False)
    app.add_api_route("/internal/health/ready", ready, methods=["GET"], include_in_schema=False)


def _add_backlog(app: FastAPI, backlog: Backlog) -> None:
    async def waiting() -> dict[str, int]:
        return await backlog()

    app.add_api_route("/internal/backlog", waiting, methods=["GET"], include_in_schema=False)
