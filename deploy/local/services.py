"""The commands and environments of the services and their worker.

Each process gets only the addresses and credentials that it needs.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from deploy.local import probes
from deploy.local.credentials import ADMIN_PASSWORD, SERVICES, Credentials
from deploy.local.places import ROOT
from deploy.local.ports import LOOPBACK
from deploy.local.program import Program, Task
from deploy.local.settings import S3Server, StackSettings

PYTHON = (sys.executable, "-m", "common.start")
"""Runs a module of ours as a program."""
QUIET = {"LOG_LEVEL": "warning"}
"""Otherwise every sweep would be logged. LOG_LEVEL of the user overrides this."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses and the administrators' credentials of one run."""

    database_admin_url: str
    valkey_url: str
    service_ports: Mapping[str, int]

    @property
    def broker_url(self) -> str:
        """The queue of tasks, which is another database on the same server."""
        return urlunsplit(urlsplit(self.valkey_url)._replace(path="/1"))

    def database_url(self, service: str, password: str) -> str:
        admin = urlsplit(self.database_admin_url)
        server = admin.netloc.rpartition("@")[2]
        return urlunsplit(admin._replace(netloc=f"{service}:{password}@{server}", path=f"/{service}"))

    def service_url(self, service: str) -> str:
        return f"http://{LOOPBACK}:{self.service_ports[service]}"


@dataclass(frozen=True, slots=True)
class Services:
    """Describes all processes that run the system's own code."""

    settings: StackSettings
    credentials: Credentials
    addresses: Addresses

    def migrations(self) -> Task:
        """Creates the role and database of each service, and applies migrations."""
        return Task(
            name="migrate",
            command=[*PYTHON, "deploy.local.migrate"],
            folder=ROOT,
            environment={
                **self._python(),
                "DATABASE_URLS": json.dumps({service: self._database_url(service) for service in SERVICES}),
                "ADMIN_DATABASE_URL": self.addresses.database_admin_url,
            },
        )

    def servers(self) -> list[Program]:
        return [self._server(service) for service in SERVICES]

    def worker(self) -> Program:
        """The worker of all services, with the beat."""
        folder = self.settings.data / "worker"
        folder.mkdir(mode=0o700, exist_ok=True)
        alive = folder / "alive"
        alive.unlink(missing_ok=True)
        environment = {**QUIET, **self._python(), "BROKER_URL": self.addresses.broker_url}
        for service in SERVICES:
            own = self.worker_environment(service)
            environment |= {f"{worker_prefix(service)}{name}": value for name, value in own.items()}
        return Program(
            name="worker",
            command=[*PYTHON, "deploy.local.worker", str(alive)],
            folder=ROOT,
            environment=environment,
            ready=probes.file(alive),
        )

    def _server(self, service: str) -> Program:
        port = self.addresses.service_ports[service]
        return Program(
            name=service,
            command=[
                *(*PYTHON, "common.http.serving", f"{service}_service.app:create_app"),
                # Requests that take longer are cut off. It is less than the program's grace, so that it ends by itself.
                *("--host", LOOPBACK, "--port", str(port), "--graceful", "8"),
            ],
            folder=ROOT,
            environment={**self.environment(service), "GATEWAY_TOKEN": self.credentials["gateway"]},
            port=port,
            ready=probes.http(port, "/internal/health/ready"),
        )

    def environment(self, service: str) -> dict[str, str]:
        """The environment of a service."""
        return {**self._python(), **self._own(service)}

    def _own(self, service: str) -> dict[str, str]:
        """The settings that a service and its worker share."""
        environment = self._engines(service)
        match service:
            case "auth":
                secrets = {name: self.credentials[f"service_{name}"] for name in SERVICES}
                environment |= {
                    **self._urls("share"),
                    "SERVICE_SECRETS": json.dumps(secrets),
                    "ADMIN_PASSWORD": self.settings.admin_password or self.credentials[ADMIN_PASSWORD],
                }
            case "upload":
                environment |= {**self._identity(service), **self._urls("share", "chat"), **self._store()}
                environment["MIRROR_KEY"] = self.credentials["mirror_key"]
            case "share":
                environment |= {**self._identity(service), **self._urls("upload", "chat")}
                environment["DOWNLOAD_KEY_SECRET"] = self.credentials["download_key"]
                environment["PAGE_DOCUMENT"] = (
                    str(self.settings.web_root / "index.html") if self.settings.web_root else ""
                )
            case _:
                environment |= {**self._identity(service), **self._urls("share")}
        return environment

    def worker_environment(self, service: str) -> dict[str, str]:
        """The settings of a service's worker: the service's own, except for auth's worker, which calls others."""
        if service != "auth":
            return {**self.settings.policy, **self._own(service)}
        return {
            **self.settings.policy,
            "DATABASE_URL": self._database_url(service),
            "BROKER_URL": self.addresses.broker_url,
            **self._identity(service),
            **self._urls("share", "upload", "chat"),
        }

    def _engines(self, service: str) -> dict[str, str]:
        return {
            "DATABASE_URL": self._database_url(service),
            "VALKEY_URL": self.addresses.valkey_url,
            "BROKER_URL": self.addresses.broker_url,
        }

    def _identity(self, service: str) -> dict[str, str]:
        return {
            "AUTH_URL": self.addresses.service_url("auth"),
            "SERVICE_SECRET": self.credentials[f"service_{service}"],
            # Here a service is replaced only together with all others.
            "PEER_RESTART_SECONDS": "0",
        }

    def _urls(self, *services: str) -> dict[str, str]:
        return {f"{service.upper()}_URL": self.addresses.service_url(service) for service in services}

    def _store(self) -> dict[str, str]:
        if self.settings.store == "folder":
            return {"STORE": "folder", "STORE_FOLDER": str(self.settings.files)}
        assert self.settings.s3 is not None, "the settings checked that"
        disk = {"STORE_FOLDER": str(self.settings.store_folder)} if self.settings.store_folder else {}
        return {"STORE": "s3", **disk, **s3_variables(self.settings.s3)}

    def _database_url(self, service: str) -> str:
        return self.addresses.database_url(service, self.credentials[f"postgres_{service}"])

    def _python(self) -> dict[str, str]:
        return {
            "LANG": "C.UTF-8",
            # Two allocation arenas instead of eight for each core, which saves much memory with few busy threads.
            "MALLOC_ARENA_MAX": "2",
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self.settings.data),
            **self.settings.system,
            **self.settings.policy,
        }


def s3_variables(server: S3Server) -> dict[str, str]:
    """The upload service's settings of an S3 server."""
    return {
        "S3_ENDPOINT": server.endpoint,
        "S3_REGION": server.region,
        "S3_BUCKET": server.bucket,
        "S3_ACCESS_KEY": server.access_key,
        "S3_SECRET_KEY": server.secret_key,
    }


def worker_prefix(service: str) -> str:
    """The beginning of the names of a worker's settings in the environment of the process that has all workers."""
    return f"{service.upper()}_WORKER_"
