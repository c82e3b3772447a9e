"""`docker compose up` on a clone with no `.env`, for real: what a user and an attacker of that system would notice.

The tests run in the order they stand in; the last three restart the system, exhaust a limit and remove it.
"""

import asyncio
import hashlib
import json
import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from tests.e2e.compose.system import (
    FORGET_OBJECTS,
    MAKE_BUCKET,
    System,
    administrator,
    copy_tree,
    kill_process,
    received_bytes,
    run,
    service_of,
)
from tests.e2e.mirrors import eventually
from tests.e2e.rooms import Listener, Person, clients, somebody

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

CHUNK = 5 * 1024 * 1024
ENGINES = {"postgres": "10003", "valkey": "10004", "store": "10002"}
READERS = ("auth", "auth-worker", "upload", "share", "chat", "beat")
SERVICES = {
    *(*ENGINES, *READERS, "upload-worker", "transfers-worker", "share-worker", "chat-worker"),
    *("gateway", "secrets", "migrate"),
}
# Of the workers, those that do not read what their service reads under its own name.
OWN_SECRETS = {"auth-worker": "auth-worker", "transfers-worker": "upload"}
# Who may do what a plain process may not, and why is in docker-compose.yml.
CAPABILITIES = {"gateway": ["NET_BIND_SERVICE"], "secrets": ["CHOWN"]}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    project = os.environ.get("WAYSTATION_TEST_PROJECT", f"waystation-test-{os.getpid()}")
    system = System(copy_tree(tmp_path_factory.mktemp("clone")), project)
    try:
        system.up("--build")
        yield system
    finally:
        system.down("--volumes", "--remove-orphans")


@pytest.fixture
def client(system: System) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=system.url, timeout=60, follow_redirects=True) as client:
        yield client


@pytest.fixture(scope="module")
def kept() -> dict[str, bytes]:
    """What the tests stored, by its code."""
    return {}


def fetch(client: httpx.Client, code: str) -> bytes:
    return client.get("/share/select/", params={"code": code}).raise_for_status().content


def detail(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return response.json()["detail"]


def send_chunk(client: httpx.Client, upload_id: str, index: int, data: bytes) -> None:
    """Send one chunk as a client does that lives through a dying replica: again, for half a minute."""
    deadline = time.monotonic() + 30
    while True:
        try:
            answer = client.post(f"/chunk/upload/chunk/{upload_id}/{index}", files={"chunk": data})
            if answer.status_code == 200 or time.monotonic() > deadline:
                assert detail(answer)["chunk_hash"] == hashlib.sha256(data).hexdigest()
                return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def test_form_upload_comes_back_identical(client: httpx.Client, kept: dict[str, bytes]) -> None:
    data = random.Random(1).randbytes(3_000_000)
    code = detail(client.post("/share/file/", files={"file": ("a file.bin", data)}))["code"]
    kept[code] = data
    answer = client.get("/share/select/", params={"code": code})
    assert answer.content == data
    assert "a%20file.bin" in answer.headers["Content-Disposition"]


def test_all_of_it_runs(system: System) -> None:
    assert {service_of(container) for container in system.containers()} == SERVICES


def test_the_administrator_signs_in_with_the_password_that_was_generated(system: System, client: httpx.Client) -> None:
    signed_in = administrator(system, client)
    account = client.get("/v1/account", headers=signed_in).raise_for_status().json()
    assert (account["name"], account["role"]) == ("admin", "administrator")
    accounts = client.get("/v1/accounts", headers=signed_in)
    assert accounts.status_code == 200, accounts.text
    assert client.post("/v1/auth/logout", headers=signed_in).status_code == 204
    assert client.get("/v1/account", headers=signed_in).status_code == 401


def test_a_file_reaches_a_mirror_that_stands_in_for_the_store(system: System, client: httpx.Client) -> None:
    """The mirror is another bucket of the same store, which is one that every machine with this system has."""
    signed_in = administrator(system, client)
    key, secret = system.python("upload", MAKE_BUCKET).split()
    options = {"endpoint": "http://store:9000", "region": "us-east-1", "bucket": "mirror"}
    options |= {"access_key_id": key, "secret_access_key": secret}
    asked = {"name": "another bucket", "kind": "s3", "options": options, "is_default": True}
    mirror = client.post("/v1/mirrors", json=asked, headers=signed_in)
    assert mirror.status_code == 201, mirror.text
    data = random.Random(4).randbytes(6_000_000)
    sent = client.post("/api/upload/private", files={"file": ("a file.bin", data)}, headers=signed_in).json()
    path = f"/v1/files/{client.get('/v1/files', headers=signed_in).json()['files'][0]['id']}/mirrors"
    eventually(lambda: client.get(path, headers=signed_in).json()["mirrors"][0]["state"] == "verified")
    system.python("upload", FORGET_OBJECTS.format(size=len(data)))
    assert client.get(f"/file/{sent['file_url']}").content == data
    mirror_path = f"/v1/mirrors/{mirror.json()['id']}"
    assert client.delete(mirror_path, headers=signed_in).status_code == 204
    eventually(lambda: client.get(mirror_path, headers=signed_in).status_code == 404)


def test_no_url_leads_into_the_networks_of_the_system(system: System, client: httpx.Client) -> None:
    signed_in = administrator(system, client)
    for url in ("http://store:9000/", "http://auth:8000/internal/health/ready", "http://127.0.0.1:8000/"):
        asked = client.post("/v1/fetches", json={"url": url}, headers=signed_in)
        assert asked.status_code == 202, asked.text
        path = f"/v1/fetches/{asked.json()['id']}"
        eventually(lambda path=path: client.get(path, headers=signed_in).json()["state"] == "failed")
        assert client.get(path, headers=signed_in).json()["error"] == "address_refused"


def test_a_file_by_link_comes_back_identical(client: httpx.Client) -> None:
    data = random.Random(3).randbytes(3_000_000)
    answer = client.post("/api/upload", params={"include_ext": "true"}, files={"file": ("a file.bin", data)})
    assert answer.status_code == 200, answer.text
    sent = answer.json()
    assert sent["file_url_full"] == f"{client.base_url}/file/{sent['file_url']}"
    assert client.get(sent["file_url_full"]).content == data
    # What is by path alone on every other host name is nobody's on that of another dialect.
    for host, status in (("fileuploader.example.org", 200), ("filecodebox.example.org", 404)):
        assert client.get(f"/f/{sent['file_url']}", headers={"Host": host}).status_code == status
    deleted = client.get(f"/api/delete/{sent['file_url']}", params={"key": sent["key"]})
    assert (deleted.status_code, client.get(sent["file_url_full"]).status_code) == (200, 404)


def test_internal_paths_are_not_routed(client: httpx.Client) -> None:
    assert client.get("/internal/health/ready").status_code == 404


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
    assert {service for service, names in networks.items() if "out" in names} == {"upload", "transfers-worker"}
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
        assert service in {"secrets", "migrate"} or container["Config"]["StopTimeout"] >= 15, service


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
        if service not in {"secrets", "gateway"}:
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


def test_chunked_upload_spreads_over_new_replicas_and_survives_one(
    system: System, client: httpx.Client, kept: dict[str, bytes]
) -> None:
    data = random.Random(2).randbytes(30 * CHUNK + 12_345)
    chunks = [data[offset : offset + CHUNK] for offset in range(0, len(data), CHUNK)]
    gateway = system.containers("gateway")[0]
    session = {"file_name": "big.bin", "file_size": len(data), "chunk_size": CHUNK}
    session["file_hash"] = hashlib.sha256(data).hexdigest()
    upload_id = detail(client.post("/chunk/upload/init/", json=session))["upload_id"]
    send_chunk(client, upload_id, 0, chunks[0])

    system.up("--no-build", "--scale", "upload=3", "--scale", "upload-worker=2")
    replicas = system.containers("upload")
    assert (len(replicas), len(system.containers("upload-worker"))) == (3, 2)

    with ThreadPoolExecutor(4) as senders:
        before = [received_bytes(replica) for replica in replicas]
        list(senders.map(lambda index: send_chunk(client, upload_id, index, chunks[index]), range(1, 15)))
        shares = [received_bytes(replica) - start for replica, start in zip(replicas, before, strict=True)]
        assert min(shares) >= CHUNK, shares

        rest = [senders.submit(send_chunk, client, upload_id, index, chunks[index]) for index in range(15, len(chunks))]
        kill_process(replicas[1])
        for sent in rest:
            sent.result()

    status = detail(client.get(f"/chunk/upload/status/{upload_id}"))
    assert status["uploaded_chunks"] == list(range(len(chunks)))
    expiry = {"expire_value": 1, "expire_style": "day"}
    code = detail(client.post(f"/chunk/upload/complete/{upload_id}", json=expiry))["code"]
    kept[code] = data
    assert fetch(client, code) == data

    system.wait_until_healthy()
    assert system.containers("upload")[1]["RestartCount"] + system.containers("upload")[0]["RestartCount"] >= 1
    same = system.containers("gateway")[0]
    assert (same["Id"], same["State"]["StartedAt"]) == (gateway["Id"], gateway["State"]["StartedAt"])


def post_to(replica: dict[str, Any], person: Person, room: int, text: str) -> None:
    """Post a message to this one replica, from inside it."""
    source = f"""
import json, urllib.request
body = json.dumps({{"text": {text!r}}}).encode()
request = urllib.request.Request("http://127.0.0.1:8000/v1/rooms/{room}/messages", body)
request.add_header("Content-Type", "application/json")
request.add_header("Authorization", "Bearer {person.token}")
urllib.request.urlopen(request, timeout=20)
"""
    run(["docker", "exec", replica["Id"], "python", "-c", source])


async def test_what_is_posted_to_one_chat_replica_is_heard_on_all_and_one_may_die(system: System) -> None:
    system.up("--no-build", "--scale", "chat=2")
    replicas = system.containers("chat")
    assert len(replicas) == 2
    async with clients(system.url) as http, AsyncExitStack() as opened:
        owner = await somebody(http)
        room = await owner.open_room()
        listeners = [await opened.enter_async_context(Listener(owner, room).listening()) for _ in range(8)]
        said = [f"posted to replica {number}" for number in range(2)]
        for replica, text in zip(replicas, said, strict=True):
            await asyncio.to_thread(post_to, replica, owner, room, text)
        for listener in listeners:
            await listener.until_heard(*said)
        await asyncio.to_thread(kill_process, replicas[0])
        for number in range(10):
            said.append(f"message {number}")
            await owner.say(room, said[-1])
        for listener in listeners:
            await listener.until_heard(*said)
            assert sorted(set(listener.texts)) == sorted(said)
            ids = [event["id"] for event in listener.events]
            assert len(set(ids)) == len(ids)
        undisturbed = [listener for listener in listeners if not listener.ends]
        assert 2 <= len(undisturbed) <= 6
    await asyncio.to_thread(system.wait_until_healthy)


def test_data_outlives_the_containers(system: System, client: httpx.Client, kept: dict[str, bytes]) -> None:
    valkey = "import pathlib, redis; r = redis.Redis.from_url(pathlib.Path('/run/secrets/valkey_url').read_text()); "
    # A transaction, because its replay from Valkey's log has to pass the access rules once more.
    system.python("upload", valkey + "p = r.pipeline(transaction=True); p.set('kept', 'yes'); p.execute()")
    system.down()
    assert not system.containers()
    system.up("--no-build")
    assert system.python("upload", valkey + "print(r.get('kept'))") == "b'yes'\n"
    assert kept
    for code, data in kept.items():
        assert fetch(client, code) == data
    again = detail(client.post("/share/file/", files={"file": ("b.bin", b"after the restart")}))["code"]
    assert fetch(client, again) == b"after the restart"


def test_clients_cannot_choose_their_address(client: httpx.Client) -> None:
    """Wrong codes are counted by the address that the gateway saw, whatever the client claims."""
    answers = [
        client.get("/share/select/", params={"code": f"0000{n}"}, headers={"X-Forwarded-For": f"198.51.100.{n}"})
        for n in range(11)
    ]
    assert {answer.status_code for answer in answers[:10]} == {200}
    assert answers[10].status_code == 423


def test_down_with_volumes_leaves_nothing(system: System) -> None:
    system.down("--volumes")
    assert [system.ids(*kind) for kind in (("container", "--all"), ("volume",), ("network",))] == [[], [], []]
