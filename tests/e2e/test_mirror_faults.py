"""Copies to mirrors while their workers are killed, and downloads while the object store is gone."""

import hashlib
import random
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.e2e.faults import down, persist
from tests.e2e.mirrors import administrator, defined, eventually
from tests.e2e.test_account_faults import Person, send, somebody
from tests.integration.upload.mirrors.mirror_front import Fault, background
from tests.integration.upload.mirrors.mirror_servers import SERVERS, MirrorServer

MIB = 1024 * 1024
FILES = 200
KINDS = ("fs", "webdav", "s3")
WORKERS = ("worker", "worker", "worker", "upload")
KILLS = 7


@pytest.fixture
def http(stack: StartedStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        yield http


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, MirrorServer]]:
    with ExitStack() as opened:
        running = opened.enter_context(background())
        found: dict[str, MirrorServer] = {}
        for kind in KINDS:
            (tmp_path / kind).mkdir()
            found[kind] = opened.enter_context(SERVERS[kind](tmp_path / kind, running))
        yield found


def account_id(person: Person) -> str:
    return str(persist(person.account, 200).json()["id"])


def contents() -> list[bytes]:
    """Files of mixed size, no two alike: from one byte to a few MiB, most of them small."""
    chance = random.Random(5)
    sizes = [1, 2, 100, 65_536, MIB, 5 * MIB, 5 * MIB + 1, *(int(10 ** chance.uniform(2, 6.3)) for _ in range(FILES))]
    return [secrets.token_bytes(16) + chance.randbytes(size) for size in sizes[:FILES]]


def killed_at_random(stack: StartedStack, done: threading.Event) -> int:
    """Kill one process after the other until it is `done`, or enough have died; how many did."""
    chance = random.Random()
    for killed in range(KILLS):
        if done.wait(chance.uniform(0.7, 2.5)):
            return killed
        stack.kill(chance.choice(WORKERS))
    return KILLS


@pytest.mark.long
def test_files_reach_every_mirror_once_while_workers_are_killed_at_random(
    stack: StartedStack, http: httpx.Client, servers: dict[str, MirrorServer]
) -> None:
    headers, sender, wanted = administrator(stack, http), somebody(http), contents()
    more = {"accounts": [account_id(sender)], "is_default": True, "parallel": 4}
    with ExitStack() as opened:
        for kind, server in servers.items():
            opened.enter_context(defined(http, headers, f"{kind} {secrets.token_hex(4)}", server, **more))
        done = threading.Event()
        with ThreadPoolExecutor() as pool:
            killing = pool.submit(killed_at_random, stack, done)
            for content in wanted:
                persist(lambda content=content: send(sender, content), 200)
            assert killing.result() == KILLS
            done.set()
        # A request that broke off may have been carried out: the same content, sent again, is another file of one blob.
        files = all_files(sender)
        assert {file["sha256"] for file in files} == {hashlib.sha256(content).hexdigest() for content in wanted}
        eventually(lambda: all(is_everywhere(sender, str(file["id"])) for file in files))
    for server in servers.values():
        found = Counter(hashlib.sha256(content).hexdigest() for content in server.stored().values())
        assert found == Counter(hashlib.sha256(content).hexdigest() for content in wanted)


def all_files(person: Person) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    query: dict[str, str] = {"limit": "200"}
    while True:
        asked = person.http.build_request("GET", "/v1/files", params=query, headers=person.header)
        page = persist(lambda asked=asked: person.http.send(asked), 200).json()
        found += page["files"]
        if page["next"] is None:
            return found
        query["after"] = page["next"]


def is_everywhere(person: Person, file_id: str, mirrors: int = len(KINDS)) -> bool:
    answer = persist(lambda: person.http.get(f"/v1/files/{file_id}/mirrors", headers=person.header), 200)
    states = [mirror["state"] for mirror in answer.json()["mirrors"]]
    assert len(states) == mirrors
    return all(state == "verified" for state in states)


def test_a_file_is_fetched_from_its_mirror_while_the_store_is_away(
    stack: StartedStack, http: httpx.Client, servers: dict[str, MirrorServer]
) -> None:
    headers, sender, content = administrator(stack, http), somebody(http), secrets.token_bytes(3 * MIB)
    with defined(http, headers, f"one {secrets.token_hex(4)}", servers["webdav"]) as mirror_id:
        answer = send(sender, content).json()
        path = f"/file/{answer['file_url']}"
        file_id = all_files(sender)[0]["id"]
        wish = http.post(f"/v1/files/{file_id}/mirrors", json={"mirrors": [mirror_id]}, headers=sender.header)
        assert wish.status_code == 202, wish.text
        eventually(lambda: is_everywhere(sender, str(file_id), 1))
        with down(stack, "store"):
            whole = http.get(path)
            assert (whole.status_code, whole.content) == (200, content)
            assert whole.headers["repr-digest"] == http.head(path).headers["repr-digest"]
            part = http.get(path, headers={"Range": "bytes=1000000-1000099"})
            assert (part.status_code, part.content) == (206, content[1_000_000:1_000_100])
            with servers["webdav"].failing(Fault.GONE):
                nothing = http.get(path)
                assert nothing.status_code == 503
                assert int(nothing.headers["retry-after"]) > 0
                assert "content-disposition" not in nothing.headers
        persist(lambda: http.get(path), 200)
