"""The programs of the stack, in the order in which they start."""

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from deploy.local import gateway, ports, postgres, store, valkey
from deploy.local.credentials import SERVICES, Credentials
from deploy.local.program import Program, Stage
from deploy.local.services import Addresses, Services
from deploy.local.settings import StackSettings

INTERNAL = ("postgres", "valkey", "store", *SERVICES)


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages of the start, and the port of each program."""

    stages: list[Stage]
    ports: dict[str, int]


async def prepare(settings: StackSettings, credentials: Credentials) -> Program | None:
    """Create what the engines need for their first start. Returns the program of PostgreSQL, still without a port."""
    if settings.store is None:
        await store.prepare(settings.data)
    if settings.database_admin_url is not None:
        return None
    return await postgres.prepare(settings.data, credentials["postgres_admin"])


def make(settings: StackSettings, credentials: Credentials, database: Program | None) -> Plan:
    """Choose ports and describe all programs. The supervisor makes another plan if one of the ports gets taken."""
    chosen = dict(zip([*INTERNAL, "gateway"], ports.choose(len(INTERNAL) + 1), strict=True))
    if settings.port:
        chosen["gateway"] = settings.port
    addresses = _addresses(settings, credentials, chosen)
    services = Services(settings, credentials, addresses)
    stages: list[Stage] = [
        _engines(settings, credentials, database, chosen),
        services.migrations(),
        [*services.servers(), *services.workers()],
        [services.workers_answer()],
        [
            gateway.program(
                settings.data,
                host=settings.host,
                port=chosen["gateway"],
                service_ports=addresses.service_ports,
                store=gateway.s3_server(addresses.store_endpoint),
                trusted_proxies=settings.gateway_trusted_proxies,
                token=credentials["gateway"],
                system=settings.system,
            )
        ],
    ]
    return Plan(stages, chosen)


def _addresses(settings: StackSettings, credentials: Credentials, chosen: dict[str, int]) -> Addresses:
    outside = settings.store
    return Addresses(
        database_admin_url=settings.database_admin_url
        or postgres.admin_url(chosen["postgres"], credentials["postgres_admin"]),
        valkey_url=_first_database(settings.valkey_url) or valkey.url(chosen["valkey"], credentials["valkey"]),
        store_endpoint=outside.endpoint if outside else f"http://{ports.LOOPBACK}:{chosen['store']}",
        store_access_key=outside.access_key if outside else credentials["store_access_key"],
        store_secret_key=outside.secret_key if outside else credentials["store_secret_key"],
        service_ports={service: chosen[service] for service in SERVICES},
    )


def _first_database(valkey_url: str | None) -> str | None:
    return urlsplit(valkey_url)._replace(path="/0").geturl() if valkey_url else None


def _engines(
    settings: StackSettings, credentials: Credentials, database: Program | None, chosen: dict[str, int]
) -> list[Program]:
    """The engines that the stack runs itself."""
    engines: list[Program] = []
    if database is not None:
        port = chosen["postgres"]
        command = [*database.command, *postgres.arguments(port)]
        engines.append(replace(database, command=command, port=port, ready=postgres.ready(port)))
    if settings.valkey_url is None:
        engines.append(valkey.program(settings.data, chosen["valkey"], credentials["valkey"]))
    if settings.store is None:
        engines.append(
            store.program(
                settings.data,
                chosen["store"],
                access_key=credentials["store_access_key"],
                secret_key=credentials["store_secret_key"],
                system=settings.system,
            )
        )
    return engines
