"""The composed system with more of everything, and with parts of it dying; then the whole restarted and removed.

The tests run in the order they stand in, after those of the other modules: the last four restart the system, make it
again of a backup, exhaust a limit and remove it.
"""

import asyncio
import hashlib
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.compose.outside import engines_elsewhere
from tests.e2e.compose.running import (
    ENGINES,
    SERVICES,
    System,
    detail,
    fetch,
    kill_process,
    received_bytes,
    run,
    service_of,
)
from tests.e2e.filecodebox_folder import Folder
from tests.e2e.rooms import Listener, Person, clients, somebody

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

CHUNK = 5 * 1024 * 1024


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


def test_chunked_upload_stays_on_one_of_new_replicas_and_survives_its_death(
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
        # One replica gets all of a session, and so knows the digest of the whole without reading anything back.
        pinned = replicas[shares.index(max(shares))]
        assert sum(shares) - max(shares) < CHUNK < max(shares), shares

        rest = [senders.submit(send_chunk, client, upload_id, index, chunks[index]) for index in range(15, len(chunks))]
        kill_process(pinned)
        for sent in rest:
            sent.result()

    status = detail(client.get(f"/chunk/upload/status/{upload_id}"))
    assert status["uploaded_chunks"] == list(range(len(chunks)))
    expiry = {"expire_value": 1, "expire_style": "day"}
    code = detail(client.post(f"/chunk/upload/complete/{upload_id}", json=expiry))["code"]
    kept[code] = data
    assert fetch(client, code) == data

    system.wait_until_healthy()
    assert sum(replica["RestartCount"] for replica in system.containers("upload")) >= 1
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


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ExitStack]:
    """What has to end before the networks of the project can."""
    with ExitStack() as opened:
        yield opened


async def test_a_system_that_is_lost_comes_back_from_its_backup_on_engines_elsewhere(
    system: System, client: httpx.Client, kept: dict[str, bytes], elsewhere: ExitStack, tmp_path: Path
) -> None:
    backups, passphrase = tmp_path / "backups", tmp_path / "passphrase"
    passphrase.write_text("a passphrase of nobody's\n")
    system.compose("build", "operator", timeout=400)
    box, code = Folder(tmp_path / "box"), "MOVED"
    kept[code] = random.Random(6).randbytes(1_000_000)
    box.share_file(code, kept[code])
    box.put_locally()
    assert "imported: 1 files" in system.operate("deploy/compose/import", "filecodebox", str(box.root), "--write")
    async with clients(system.url) as http:
        owner = await somebody(http)
        room = await owner.open_room(lifetime_seconds=86400)
        await owner.say(room, "before the loss")
    said = system.operate("deploy/compose/backup", str(backups), PASSPHRASE_FILE=str(passphrase))
    assert "complete: " in said
    with pytest.raises(AssertionError, match="The system is not empty"):
        system.operate("deploy/compose/restore", str(backups), PASSPHRASE_FILE=str(passphrase))
    system.down("--volumes")
    (tmp_path / "tls").mkdir()
    elsewhere.enter_context(engines_elsewhere(system, tmp_path / "tls"))
    system.operate("deploy/compose/restore", str(backups), PASSPHRASE_FILE=str(passphrase))
    await asyncio.to_thread(system.wait_until_healthy)
    assert {service_of(container) for container in system.containers()} == SERVICES - set(ENGINES)
    assert kept
    for code, data in kept.items():
        assert fetch(client, code) == data
    async with clients(system.url) as http:
        again = Person(http, owner.name, owner.token)
        assert [message["text"] for message in await again.messages(room)] == ["before the loss"]


def test_clients_cannot_choose_their_address(client: httpx.Client) -> None:
    """Wrong codes are counted by the address that the gateway saw, whatever the client claims."""
    answers = [
        client.get("/share/select/", params={"code": f"0000{n}"}, headers={"X-Forwarded-For": f"198.51.100.{n}"})
        for n in range(11)
    ]
    assert {answer.status_code for answer in answers[:10]} == {200}
    assert answers[10].status_code == 423


def test_down_with_volumes_leaves_nothing(system: System, elsewhere: ExitStack) -> None:
    elsewhere.close()
    system.down("--volumes")
    assert [system.ids(*kind) for kind in (("container", "--all"), ("volume",), ("network",))] == [[], [], []]
