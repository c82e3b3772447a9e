"""The running system while its processes are killed: nothing acknowledged is lost; clients only have to try again."""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.e2e.faults import PATIENCE, down

MIB = 1024 * 1024
CHUNK = 5 * MIB
SERVICES = ("upload", "share", "worker")


class Client:
    """A client of the FileCodeBox dialect that tries again, as real ones do."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def try_on(self, attempt: Callable[[httpx.Client], httpx.Response]) -> httpx.Response:
        """The first answer that is a success. Refusals that trying again cannot mend fail the test."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                answer = attempt(self.http)
            except httpx.TransportError as error:
                problem = repr(error)
            else:
                if answer.status_code == 200:
                    return answer
                assert answer.status_code in (409, 503), answer.text
                assert answer.headers.get("Retry-After") or answer.status_code == 409
                problem = answer.text
            assert time.monotonic() < until, problem
            time.sleep(0.2)

    def detail(self, method: str, path: str, **options: object) -> dict[str, object]:
        answer = self.try_on(lambda http: http.request(method, path, **options))  # type: ignore[arg-type]
        return answer.json()["detail"]


class ChunkedUpload:
    """One file in 5 MiB chunks, four at a time."""

    def __init__(self, client: Client, content: bytes) -> None:
        self._client, self._content = client, content
        self._new = {
            "file_name": "fault.bin",
            "file_size": len(content),
            "chunk_size": CHUNK,
            "file_hash": hashlib.sha256(content).hexdigest(),
        }
        self.sent = 0

    def init(self) -> dict[str, object]:
        return self._client.detail("POST", "/chunk/upload/init/", json=self._new)

    def send(self, missing: list[int], upload_id: object) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda index: self._send_chunk(upload_id, index), missing))

    def _send_chunk(self, upload_id: object, index: int) -> None:
        piece = self._content[index * CHUNK : (index + 1) * CHUNK]
        path = f"/chunk/upload/chunk/{upload_id}/{index}"
        detail = self._client.detail("POST", path, files={"chunk": ("blob", piece)})
        assert detail["chunk_hash"] == hashlib.sha256(piece).hexdigest()
        self.sent += 1

    def complete(self, upload_id: object) -> str:
        path = f"/chunk/upload/complete/{upload_id}"
        body = {"expire_value": 1, "expire_style": "day"}
        return str(self._client.detail("POST", path, json=body)["code"])


@pytest.fixture
def client(stack: StartedStack) -> Iterator[Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        yield Client(http)


def fetch(client: Client, code: str) -> bytes:
    """The file behind a code, once it is verified."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            answer = client.http.get("/share/select/", params={"code": code})
        except httpx.TransportError:
            continue
        if answer.status_code == 200 and "application/json" not in answer.headers["content-type"]:
            return answer.content
        assert answer.status_code in (425, 503), answer.text
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.mark.long
def test_a_300_mib_upload_survives_the_death_of_everything_it_passes_through(
    stack: StartedStack, client: Client
) -> None:
    content = secrets.token_bytes(MIB) * 299 + secrets.token_bytes(MIB)
    upload = ChunkedUpload(client, content)
    upload_id = upload.init()["upload_id"]
    victims = {8: "upload", 18: "gateway", 28: "valkey", 38: "worker", 48: "upload"}

    def kill_on_the_way() -> None:
        for progress, victim in victims.items():
            while upload.sent < progress:
                time.sleep(0.01)
            stack.wait_restarted(victim, stack.kill(victim))

    killer = threading.Thread(target=kill_on_the_way)
    killer.start()
    upload.send(list(range(60)), upload_id)
    killer.join()
    resumed = upload.init()
    assert resumed["upload_id"] == upload_id
    assert resumed["uploaded_chunks"] == list(range(60))
    code = upload.complete(upload_id)
    assert hashlib.sha256(fetch(client, code)).digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize("victim", ["upload", "worker", "valkey", "postgres", "share", "auth"])
def test_a_death_while_completing_loses_nothing(stack: StartedStack, client: Client, victim: str) -> None:
    content = secrets.token_bytes(31 * MIB)
    upload = ChunkedUpload(client, content)
    started = upload.init()
    upload.send(list(range(7)), started["upload_id"])
    with ThreadPoolExecutor(1) as pool:
        completing = pool.submit(upload.complete, started["upload_id"])
        time.sleep(secrets.randbelow(60) / 1000)
        stack.wait_restarted(victim, stack.kill(victim))
        code = completing.result()
    # asked again, it is the same file
    assert upload.complete(started["upload_id"]) == code
    assert fetch(client, code) == content


def test_a_client_that_comes_back_sends_only_what_is_missing(stack: StartedStack, client: Client) -> None:
    content = secrets.token_bytes(12 * MIB)
    first = ChunkedUpload(client, content)
    upload_id = first.init()["upload_id"]
    first.send([2], upload_id)
    stack.wait_restarted("upload", stack.kill("upload"))
    again = ChunkedUpload(client, content)
    resumed = again.init()
    assert (resumed["upload_id"], resumed["uploaded_chunks"]) == (upload_id, [2])
    again.send([0, 1], upload_id)
    assert fetch(client, again.complete(upload_id)) == content


def test_a_verification_that_takes_long_is_answered_with_the_code_and_nothing_unproven_is_served(
    stack: StartedStack, client: Client
) -> None:
    content = secrets.token_bytes(6 * MIB)
    upload = ChunkedUpload(client, content)
    upload_id = upload.init()["upload_id"]
    upload.send([0, 1], upload_id)
    # What was hashed in passing is forgotten with the process: the object has to be read back, by the worker.
    stack.wait_restarted("upload", stack.kill("upload"))
    with down(stack, "worker"):
        code = upload.complete(upload_id)
        early = client.http.get("/share/select/", params={"code": code})
        assert early.status_code == 425
        assert int(early.headers["Retry-After"]) > 0
    assert fetch(client, code) == content


def share_text(http: httpx.Client) -> httpx.Response:
    return http.post("/share/text/", data={"text": "hello"})


def share_file(http: httpx.Client) -> httpx.Response:
    return http.post("/share/file/", files={"file": ("name.txt", b"hello")})


@pytest.mark.parametrize("engine", ["valkey", "postgres", "store"])
def test_without_an_engine_the_answer_is_503_and_the_way_back_needs_no_restart(
    stack: StartedStack, client: Client, engine: str
) -> None:
    http = client.http
    code = client.try_on(share_file).json()["detail"]["code"]
    services = {name: stack.pid_of(name) for name in SERVICES}
    init = {"file_name": "n", "file_size": 5, "file_hash": hashlib.sha256(secrets.token_bytes(9)).hexdigest()}
    upload_id = http.post("/chunk/upload/init/", json=init).json()["detail"]["upload_id"]
    with down(stack, engine):
        calls: dict[str, Callable[[], httpx.Response]] = {
            "form": lambda: share_file(http),
            "fetch": lambda: http.get("/share/select/", params={"code": code}),
        }
        if engine != "store":
            calls["text"] = lambda: share_text(http)
        if engine != "valkey":
            chunk = {"chunk": ("b", b"hello")}
            calls["chunk"] = lambda: http.post(f"/chunk/upload/chunk/{upload_id}/0", files=chunk)
        # All at once, because each waits for as long as services have patience.
        with ThreadPoolExecutor(len(calls)) as pool:
            answered = pool.map(lambda call: call(), calls.values())
        for name, answer in zip(calls, answered, strict=True):
            assert answer.status_code == 503, f"{name}: {answer.status_code} {answer.text}"
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.json()["detail"]
    assert fetch(client, code) == b"hello"
    client.try_on(share_text)
    assert fetch(client, client.try_on(share_file).json()["detail"]["code"]) == b"hello"
    client.try_on(lambda http: http.post(f"/chunk/upload/chunk/{upload_id}/0", files={"chunk": ("b", b"hello")}))
    assert {name: stack.pid_of(name) for name in SERVICES} == services
