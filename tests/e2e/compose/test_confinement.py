"""The composed system as somebody meets it who has taken over a part of it."""

import json
from typing import Any

import pytest

from tests.e2e.compose.running import (
    ENGINES,
    ONE_SHOT,
    READERS,
    System,
    run,
    service_of,
)

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

# Of the workers, those that do not read what their service reads under its own name.
OWN_SECRETS = {"auth-worker": "auth-worker", "transfers-worker": "upload"}
# Who may do what a plain process may not, and why is in docker-compose.yml.
CAPABILITIES = {"gateway": ["NET_BIND_SERVICE"], "secrets": ["CHOWN"]}


def test_gateway_alone_publishes_a_port_and_on_loopback(system: System) -> None:
    published = {
        (service_of(container), binding["HostIp"], binding["HostPort"])
        for container in system.containers()
        for bindings in container["NetworkSettings"]["Ports"].values()
        for binding in bindings or []
    }
    assert published == {("gateway", "127.0.0.1", str(system.port))}


def test_gateway_alone_has_a_way_out_and_none_to_the_databases(system: System) -> None:
    networks = {
        service_of(c): {n.removeprefix(f"{system.project}_") for n in networks_of(c)} for c in system.containers()
    }
    assert {service for service, names in networks.items() if names & {"edge", "bridge", "host"}} == {"gateway"}
    assert {service for service, names in networks.items() if "out" in names} == {
        "upload",
        "transfers-worker",
        "share-worker",
    }
    assert networks["gateway"] == {"edge", "front"}
    assert networks["postgres"] == networks["valkey"] == {"back"}
    for name in ("front", "back"):
        assert json.loads(run(["docker", "network", "inspect", f"{system.project}_{name}"]))[0]["Internal"]


def networks_of(container: dict[str, Any]) -> list[str]:
    return list(container["NetworkSettings"]["Networks"])


def test_every_container_is_confined(system: System) -> None:
    for container in system.containers():
        service, host = service_of(container), container["HostConfig"]
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert (host["CapAdd"] or []) == CAPABILITIES.get(service, []), service
        assert host["SecurityOpt"] == ["no-new-privileges:true"], service
        assert not host["Privileged"], service
        assert host["Init"], service
        assert 0 < host["Memory"] <= 2**31, service
        assert 0 < host["PidsLimit"] <= 1024, service
        assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}, service
        assert service in ONE_SHOT or container["Config"]["StopTimeout"] >= 15, service


def test_no_process_is_root_or_holds_a_capability(system: System) -> None:
    for container in system.containers():
        if not container["State"]["Running"]:
            continue
        text = run(
            ["docker", "exec", container["Id"], "sh", "-c", "cat /proc/[0-9]*/status; ! touch /probe 2>/dev/null"]
        )
        fields = [line.split() for line in text.splitlines()]
        assert all("0" not in f[1:] for f in fields if f[0] == "Uid:"), service_of(container)
        assert {f[1] for f in fields if f[0] in {"CapEff:", "CapPrm:", "CapAmb:"}} == {"0" * 16}, service_of(container)


def test_each_service_holds_its_own_secrets_alone(system: System) -> None:
    for container in system.containers():
        service = service_of(container)
        volumes = {mount["Name"].removeprefix(f"{system.project}_") for mount in container["Mounts"] if "Name" in mount}
        if service not in {"secrets", "gateway", "page"}:
            own = OWN_SECRETS.get(service, service.removesuffix("-worker"))
            assert {name for name in volumes if name == "vault" or name.startswith("secrets-")} == {f"secrets-{own}"}
    for service in (*READERS, *ENGINES):
        listing = system.compose(
            "exec", "-T", service, "sh", "-c", "stat -c '%a %u' /run/secrets/*; ! touch /run/secrets/x 2>&-"
        )
        assert set(listing.splitlines()) == {f"400 {ENGINES.get(service, '10001')}"}


def test_no_credential_shows_in_the_environment_or_the_logs(system: System) -> None:
    source = "import json, pathlib; print(json.dumps([p.read_text() for p in pathlib.Path('/run/secrets').iterdir()]))"
    credentials: set[str] = set()
    for service in READERS:
        for text in json.loads(system.python(service, source)):
            credentials |= {word for word in text.replace(":", '"').replace("@", '"').split('"') if len(word) >= 20}
    assert system.compose("exec", "-T", "auth", "cat", "/run/secrets/admin_password") in credentials
    assert len(credentials) >= 17
    shown = json.dumps(system.containers()) + system.compose("logs", "--no-color")
    assert not [credential for credential in credentials if credential in shown]


def test_no_default_credential_opens_an_engine(system: System) -> None:
    """From inside the network, where a service that was taken over would try."""
    source = """
import minio, psycopg, redis
from redis.backoff import NoBackoff
from redis.retry import Retry
for user in ("postgres", "upload", "waystation", "admin"):
    for password in ("", "postgres", "password", "upload", "waystation", "admin"):
        try:
            psycopg.connect(host="postgres", user=user, password=password, dbname="postgres", connect_timeout=5)
        except psycopg.OperationalError as error:
            assert "authentication failed" in str(error) or "no password" in str(error), error
        else:
            print("postgres", user, password)
for user in (None, "default", "upload", "health", "admin"):
    for password in (None, "", "valkey", "redis", "password", "upload"):
        try:
            redis.Redis(host="valkey", username=user, password=password, retry=Retry(NoBackoff(), 0)).ping()
        except redis.AuthenticationError:
            pass
        else:
            print("valkey", user, password)
for key, secret in (("minioadmin", "minioadmin"), ("minio", "minio123"), ("admin", "password"), (None, None)):
    try:
        list(minio.Minio("store:9000", access_key=key, secret_key=secret, secure=False).list_buckets())
    except minio.S3Error as error:
        assert error.code in ("InvalidAccessKeyId", "AccessDenied", "SignatureDoesNotMatch"), error
    else:
        print("store", key)
"""
    assert system.python("upload", source) == ""


def test_one_service_cannot_open_the_database_of_another(system: System) -> None:
    source = """
import pathlib, psycopg
url = pathlib.Path("/run/secrets/database_url").read_text()
psycopg.connect(url).close()
for name in ("auth", "share", "chat"):
    try:
        psycopg.connect(url.rpartition("/")[0] + "/" + name)
    except psycopg.OperationalError as error:
        assert "permission denied" in str(error), error
    else:
        print(name)
"""
    assert system.python("upload", source) == ""
