"""The programs of the stack, in the order in which they start."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from deploy.local import gateway, ports, postgres, store, valkey
from deploy.local.credentials import SERVICES, Credentials
from deploy.local.program import Program, Stage
from deploy.local.services import Addresses, Services
from deploy.local.settings import StackSettings

INTERNAL = ("postgres", "valkey", *SERVICES)


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages of the start, and the port of each program."""

    stages: list[Stage]
    ports: dict[str, int]


async def prepare(settings: StackSettings, credentials: Credentials) -> Program | None:
    """Create what the engines need for their first start. Returns the program of PostgreSQL, still without a port.

    Raises `StoreElsewhere` before anything is created.
    """
    store.check(settings.data, settings.store)
    return await prepare_database(settings, credentials)


async def prepare_database(settings: StackSettings, credentials: Credentials) -> Program | None:
    if settings.database_admin_url is not None:
        return None
    return await postgres.prepare(settings.data, credentials["postgres_admin"])


def make(settings: StackSettings, credentials: Credentials, database: Program | None) -> Plan:
    """Choose ports and describe all programs. The supervisor makes another plan if one of the ports gets taken."""
    chosen = dict(zip([*INTERNAL, "gateway"], ports.choose(len(INTERNAL) + 1), strict=True))
    if settings.port:
        chosen["gateway"] = settings.port
    found = addresses(settings, credentials, chosen)
    services = Services(settings, credentials, found)
    stages: list[Stage] = [
        engines(settings, credentials, database, chosen),
        [services.migrations()],
        [*services.servers(), services.worker()],
        [
            gateway.program(
                settings.data,
                host=settings.host,
                port=chosen["gateway"],
                service_ports=found.service_ports,
                store=_gateways_store(settings),
                trusted_proxies=settings.gateway_trusted_proxies,
                token=credentials["gateway"],
                system=settings.system,
                page=settings.web_root or gateway.PAGE,
                access_log=settings.gateway_access_log,
                own_page=_own_page(settings),
            )
        ],
    ]
    return Plan(stages, chosen)


def addresses(settings: StackSettings, credentials: Credentials, chosen: dict[str, int]) -> Addresses:
    return Addresses(
        database_admin_url=settings.database_admin_url
        or postgres.admin_url(chosen["postgres"], credentials["postgres_admin"]),
        valkey_url=_first_database(settings.valkey_url) or valkey.url(chosen["valkey"], credentials["valkey"]),
        service_ports={service: chosen[service] for service in SERVICES},
    )


def _own_page(settings: StackSettings) -> dict[str, str]:
    """The variables for an operator's own page. Nothing weakens the headers of ours."""
    if settings.web_root is None:
        return {}
    return {"GATEWAY_PAGE": "filled", **({"WEB_CSP": settings.web_csp} if settings.web_csp else {})}


def _gateways_store(settings: StackSettings) -> dict[str, str]:
    if settings.store == "s3":
        assert settings.s3 is not None, "the settings checked that"
        return gateway.s3_server(settings.s3.endpoint)
    return gateway.folder(settings.files)


def _first_database(valkey_url: str | None) -> str | None:
    return urlsplit(valkey_url)._replace(path="/0").geturl() if valkey_url else None


def engines(
    settings: StackSettings, credentials: Credentials, database: Program | None, chosen: dict[str, int]
) -> list[Program]:
    """The engines that the stack runs itself."""
    programs: list[Program] = []
    if database is not None:
        port = chosen["postgres"]
        command = [*database.command, *postgres.arguments(port)]
        programs.append(replace(database, command=command, port=port, ready=postgres.ready(port)))
    if settings.valkey_url is None:
        programs.append(valkey.program(settings.data, chosen["valkey"], credentials["valkey"]))
    return programs
