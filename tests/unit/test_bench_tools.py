"""The tools of `make bench`: its client, what it says of processes, and what it installs peers from."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import psutil
import pytest

from tests.bench import calls, peers
from tests.bench.peers import Skipped, copyparty, installed, keep_newest, tus_node
from tests.bench.trees import Commands, Tree, timed
from tests.bench.wire import RequestFailed

BURNING = "import time\nwhile time.process_time() < 0.3: pass\n"
PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {BURNING!r}])
lasting = subprocess.Popen([sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"])
sys.stdin.read()
"""


@pytest.fixture
def parent() -> Generator["subprocess.Popen[bytes]"]:
    """A process whose first child has ended after 0.3 processor seconds, and whose second child still runs."""
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdin
        process.stdout.readline()
        yield process
        process.stdin.close()


def test_processor_time_includes_children_that_have_ended(parent: "subprocess.Popen[bytes]") -> None:
    found = Tree(lambda: {"parent": parent.pid}).processor_seconds()
    assert 0.29 <= found["parent"] < 10


def test_the_time_that_a_command_spends_in_the_kernel_is_known_apart() -> None:
    with timed(Commands()) as taken:
        working = "import os\nwhile os.times().system < 0.1: os.urandom(1 << 16)\n"
        subprocess.run([sys.executable, "-c", working], check=True)
    assert 0.09 <= taken.kernel <= taken.processor["command"] < 10


def test_a_child_with_a_name_counts_for_itself(parent: "subprocess.Popen[bytes]") -> None:
    child = psutil.Process(parent.pid).children()[0].pid
    together = Tree(lambda: {"parent": parent.pid}).memory()
    apart = Tree(lambda: {"parent": parent.pid, "child": child}).memory()
    assert apart["child"] > 1
    assert together["parent"] > apart["parent"] + apart["child"] / 2


CHUNKS = b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"


async def answering(answer: bytes) -> calls.Answer:
    """What the client makes of an answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        try:
            return await calls.exchange(reader, writer, calls.request("GET", "/", "somewhere"))
        finally:
            writer.close()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nLocation: /A\r\n\r\nabc", b"abc"),
        (
            b"HTTP/1.1 201 Created\r\nLocation: /A\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            b"abc",
        ),
        (b"HTTP/1.1 204 No Content\r\nlocation: /A\r\n\r\n", b""),
    ],
    ids=["length", "chunks", "nothing"],
)
async def test_answers_are_read_to_their_end(answer: bytes, body: bytes) -> None:
    found = await answering(answer)
    assert (found.body, found.header("Location")) == (body, "/A")


async def test_an_answer_that_is_no_success_ends_the_measurement() -> None:
    with pytest.raises(RequestFailed, match="503"):
        await answering(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")


async def test_every_turn_is_one_call_and_each_call_is_timed() -> None:
    sent: list[int] = []

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await calls.exchange(reader, writer, calls.request("GET", "/", "somewhere"))
        sent.append(1)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            if await reader.readline() == b"\r\n":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        at = server.sockets[0].getsockname()[:2]
        found = await calls.rate(at, call, iter(range(50)), connections=4, greeting=b"")
    assert len(sent) == len(found.milliseconds) == 50


def test_peers_are_fixed_by_version_and_hash_and_name_no_address() -> None:
    lock = (peers.HERE / "tus" / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(lock)["packages"]
    assert all(found["version"] and found["integrity"] for name, found in packages.items() if name)
    assert "resolved" not in lock
    assert "://" not in lock
    requirements = copyparty.REQUIREMENTS.read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", requirements.strip())
    assert all(re.match(r"[a-z0-9-]+==\S+ \\\n +--hash=sha256:", block) for block in blocks)
    assert copyparty.version()[0].isdigit()
    assert tus_node.version()[0].isdigit()


def test_a_peer_is_installed_once_and_again_when_its_versions_change(tmp_path: Path) -> None:
    versions = tmp_path / "versions.txt"
    versions.write_text("1", encoding="utf-8")
    step = [sys.executable, "-c", "open('log', 'a').write('x')"]
    first = installed(tmp_path / "cache", "peer", [versions], [step])
    assert installed(tmp_path / "cache", "peer", [versions], [step]) == first
    assert (first / "log").read_text(encoding="utf-8") == "x"
    versions.write_text("2", encoding="utf-8")
    assert installed(tmp_path / "cache", "peer", [versions], [step]) != first


def test_a_peer_that_cannot_be_installed_is_skipped_with_the_reason(tmp_path: Path) -> None:
    for step in ([sys.executable, "-c", "raise SystemExit('no such package')"], ["/nowhere/program"]):
        with pytest.raises(Skipped, match=r"no such package|nowhere"):
            installed(tmp_path, "peer", [], [step])


def test_only_the_newest_file_of_a_peer_is_kept(tmp_path: Path) -> None:
    for second, name in enumerate(("b", "c", "a")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (second, second))
    (tmp_path / "folder").mkdir()
    keep_newest(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "folder"}
