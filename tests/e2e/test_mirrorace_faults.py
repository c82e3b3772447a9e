"""MirrorAce's uploads while processes are killed: a chunk that was answered stays, one that broke off is sent again."""

import hashlib
import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import psycopg
import pytest
from celery import Celery

from common.queue.app import create_celery
from deploy.local.stack import StartedStack
from tests.contract.mirrorace.clients import CLIENTS, Form
from tests.contract.mirrorace.wire import Sender
from tests.contract.traces import Traces
from tests.e2e.faults import PATIENCE, persist

MIB = 1024 * 1024
LIMIT = 6 * MIB
SIZE = 4 * LIMIT + 12345
WAITING = ".NET"
"""The client that really waits until the place of a writer that died is free."""
BY_CLIENT = [name if name == WAITING else pytest.param(name, marks=pytest.mark.long) for name in CLIENTS]


@pytest.fixture
def http(stack: StartedStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        yield http


@pytest.fixture
def sender(http: httpx.Client) -> Sender:
    return Sender.register(http, http)


def succeeded(answer: httpx.Response) -> dict[str, Any]:
    assert answer.json()["status"] == "success", answer.text
    return answer.json()["result"]


def send(sender: Sender, form: Form, content_range: str) -> dict[str, Any]:
    """A chunk that is sent until it is answered, as the .NET client does."""
    return succeeded(persist(lambda: sender.send(form, content_range), 200))


def fetched(http: httpx.Client, slug: str) -> bytes:
    until = time.monotonic() + PATIENCE
    while True:
        answer = persist(lambda: http.get(f"/m/{slug}/download"), 200, 425)
        if answer.status_code == 200:
            return answer.content
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.mark.parametrize("client", BY_CLIENT)
def test_a_sequence_survives_the_death_of_its_service_between_chunks(
    stack: StartedStack, http: httpx.Client, sender: Sender, client: str
) -> None:
    chunks, form = CLIENTS[client]
    content, variables = secrets.token_bytes(MIB) * 24 + secrets.token_bytes(12345), sender.variables()
    assert len(content) == SIZE
    for number, (header, payload) in enumerate(chunks(content, LIMIT)):
        if number in (1, 2):
            stack.wait_restarted("upload", stack.kill("upload"))
        result = send(sender, form(sender.fields(variables), "fault.bin", payload), header)
    assert hashlib.sha256(fetched(http, result["slug"])).digest() == hashlib.sha256(content).digest()


def paced(form: Form, reached: threading.Event) -> tuple[dict[str, str], Iterator[bytes]]:
    """A form that is sent so slowly, from its middle on, that something can happen meanwhile."""
    kind, body = form

    def blocks() -> Iterator[bytes]:
        for start in itertools.count(0, MIB // 2):
            if start >= len(body):
                return
            if start >= len(body) // 2:
                reached.set()
                time.sleep(0.2)
            yield body[start : start + MIB // 2]

    return {"Content-Type": kind, "Content-Length": str(len(body))}, blocks()


@pytest.mark.parametrize("client", BY_CLIENT)
def test_a_sequence_survives_the_death_of_its_service_within_chunks(
    stack: StartedStack, http: httpx.Client, sender: Sender, client: str
) -> None:
    chunks, form = CLIENTS[client]
    content, variables = secrets.token_bytes(MIB) * 12 + secrets.token_bytes(12345), sender.variables()
    for number, (header, payload) in enumerate(chunks(content, LIMIT)):
        whole = form(sender.fields(variables), "fault.bin", payload)
        if number in (0, 1):
            _break_off(stack, sender, whole, header)
            if client != WAITING:
                _leases_run_out(stack)
        result = send(sender, whole, header)
    assert hashlib.sha256(fetched(http, result["slug"])).digest() == hashlib.sha256(content).digest()


def _leases_run_out(stack: StartedStack) -> None:
    """As after the time for which a writer that died holds its place."""
    with closing(Traces(stack)) as traces:
        traces.ask("upload", "update part set lease_until = now() where stored_at is null returning index")


def _break_off(stack: StartedStack, sender: Sender, whole: Form, header: str) -> None:
    """Send a chunk under which the service dies."""
    reached = threading.Event()
    headers, body = paced(whole, reached)

    def attempt() -> httpx.Response:
        with httpx.Client(base_url=stack.url, timeout=60) as http:
            return http.post("/api/v1/upload", content=body, headers={**headers, "Content-Range": header})

    failed: list[bool] = []

    def run() -> None:
        try:
            failed.append(attempt().status_code != 200)
        except httpx.TransportError:
            failed.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    assert reached.wait(30)
    stack.wait_restarted("upload", stack.kill("upload"))
    thread.join()
    assert failed == [True]


@pytest.mark.parametrize("victim", ["upload", "share", pytest.param("postgres", marks=pytest.mark.long)])
def test_a_death_while_the_last_chunk_completes_the_file_loses_nothing(
    stack: StartedStack, http: httpx.Client, sender: Sender, victim: str
) -> None:
    chunks, form = CLIENTS[".NET"]
    content, variables = secrets.token_bytes(MIB) * 12 + secrets.token_bytes(12345), sender.variables()
    *before, (header, payload) = chunks(content, LIMIT)
    for earlier, part in before:
        send(sender, form(sender.fields(variables), "fault.bin", part), earlier)
    last = form(sender.fields(variables), "fault.bin", payload)
    results: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: results.append(send(sender, last, header)))
    thread.start()
    time.sleep(secrets.randbelow(60) / 1000)
    stack.wait_restarted(victim, stack.kill(victim))
    thread.join()
    # Asked again, it is the same file.
    empty = form(sender.fields(variables), "fault.bin", b"")
    assert results == [send(sender, empty, f"bytes {len(content)}-{len(content)}/{len(content)}")]
    assert fetched(http, results[0]["slug"]) == content


def test_what_a_killed_chunk_left_goes_with_its_sequence(
    stack: StartedStack, http: httpx.Client, sender: Sender
) -> None:
    traces = Traces(stack)
    try:
        with traces.nothing_left():
            _, form = CLIENTS[".NET"]
            fields = sender.fields(sender.variables())
            whole = form(fields, "fault.bin", secrets.token_bytes(2 * LIMIT))
            _break_off(stack, sender, whole, f"bytes 0-{2 * LIMIT}/{3 * LIMIT}")
            newest = "select id from upload_session where layout = 'appended' order by created_at desc limit 1"
            ((session_id,),) = traces.ask("upload", newest)
            traces.change("upload", "update upload_session set expires_at = now() where id = %s", session_id)
            # Whoever died is not waited for any longer than it holds its place.
            unclean = "select 1 from upload_session where cleaned_at is null and id = %s"
            queue = create_celery("upload", traces.broker_url)
            _once(lambda: send_task(queue) and traces.ask("upload", unclean, session_id) == [])
            traces.age_unfinished()
            send_task(queue)
    finally:
        traces.close()


def send_task(queue: Celery) -> bool:
    """Have the worker sweep now rather than in the next minute."""
    queue.send_task("upload.abort_stale_sessions", queue="transfers")
    return True


def _once(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            if is_so():
                return
        except psycopg.OperationalError:
            # Whoever asked before was cut off.
            pass
        assert time.monotonic() < until
        time.sleep(0.5)
