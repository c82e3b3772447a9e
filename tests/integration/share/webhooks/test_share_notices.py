"""Notices: what Apprise is given, what it may not reach, and what nobody sees."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from common import clock
from common.sweeping import AT_ONCE
from share_service.context import Context
from share_service.webhooks import calling, notices
from share_service.webhooks.model import EVERYBODY, WEBHOOKS_EACH, Event, Webhook
from tests.conftest import MakeDatabase
from tests.integration.share.asking import change
from tests.integration.share.running_share import ShareService, running_share_service
from tests.integration.share.webhooks.receiving import Receiver, receiving

SECRET = "a-token-of-the-owner"
READS_A_FILE = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/?template=/etc/passwd"


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, valkey_url: str) -> Iterator[ShareService]:
    with running_share_service(make_database, valkey_url, webhook_allowed_networks="127.0.0.1/32") as service:
        yield service


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
async def worker(service: ShareService) -> AsyncGenerator[Context]:
    async with service.worker() as context:
        yield context


@pytest.fixture
def client(service: ShareService) -> httpx.Client:
    return service.client(account=service.sign_up())


@pytest.fixture
def administrator(service: ShareService) -> httpx.Client:
    return service.client(account=service.administrator())


@pytest.fixture(autouse=True)
def none_left(service: ShareService, receiver: Receiver) -> Iterator[None]:
    yield
    change(service, "delete from webhook")
    receiver.requests.clear()


def url_of(receiver: Receiver) -> str:
    """A service of Apprise that posts JSON."""
    return receiver.url.replace("http://", f"json://user:{SECRET}@")


def ask(client: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    return client.request(method, path, **more)


def add(client: httpx.Client, url: str, **more: object) -> dict[str, Any]:
    asked = {"url": url, "events": ["share.made", "share.ended"], **more}
    answer = client.post("/v1/notices", json=asked)
    assert answer.status_code == 201, answer.text
    return answer.json()


def the_one(client: httpx.Client, **query: str) -> dict[str, Any]:
    (found,) = client.get("/v1/notices", params=query).json()["notices"]
    return found


async def test_a_notice_is_sent_by_apprise_and_its_url_is_seen_by_nobody(
    service: ShareService,
    administrator: httpx.Client,
    receiver: Receiver,
    worker: Context,
    capfd: pytest.CaptureFixture[str],
) -> None:
    receiver.answers = [200, 200]
    notice = add(administrator, url_of(receiver), everybody=True)
    await calling.call_webhooks(worker)
    owner = service.sign_up()
    link = service.share_link(owner=owner, name="a\u2028b.bin")
    assert ask(service.client(account=owner), "DELETE", f"/v1/shares/{link.id}").is_success
    # It rests for as long as it took.
    change(service, "update webhook set due_at = now()")
    await calling.call_webhooks(worker)
    first, second = (json.loads(body) for _, body in receiver.requests)
    assert (first["title"], first["message"]) == ("Waystation", "Notices from Waystation arrive here.")
    assert second["title"] == "Waystation: 2 events"
    made, ended = second["message"].split("\n")
    assert (made.startswith("Shared: a b.bin ("), ended) == (True, "No longer shared: a b.bin")
    found = the_one(administrator, everybody="true")
    assert (found["service"], found["error"], found["waiting"]) == ("json", None, 0)
    assert SECRET not in json.dumps([notice, found])
    acts = ask(administrator, "GET", "/v1/admin/audit", params={"limit": 50}).text
    assert "notice.add" in acts
    with psycopg.connect(service.database_url) as connection:
        rows = connection.execute("select row_to_json(webhook)::text, sealed from webhook").fetchall()
    output = capfd.readouterr()
    assert SECRET not in acts + str(rows) + output.out + output.err


async def test_what_waits_for_a_service_that_refuses_comes_later(
    service: ShareService, administrator: httpx.Client, receiver: Receiver, worker: Context
) -> None:
    receiver.answers = [500, 200]
    add(administrator, url_of(receiver), everybody=True)
    await calling.call_webhooks(worker)
    found = the_one(administrator, everybody="true")
    assert (found["error"], found["failures"], found["waiting"]) == (notices.NoticeFailed().message, 1, 1)
    change(service, "update webhook set due_at = now()")
    await calling.call_webhooks(worker)
    found = the_one(administrator, everybody="true")
    assert (found["error"], found["failures"], found["waiting"]) == (None, 0, 0)


async def test_slow_notices_of_many_accounts_keep_no_webhook_waiting(
    service: ShareService,
    administrator: httpx.Client,
    receiver: Receiver,
    worker: Context,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ending, under_way = asyncio.Event(), list[Webhook]()

    async def send_slowly(_: Context, notice: Webhook, __: Sequence[Event]) -> None:
        under_way.append(notice)
        await ending.wait()

    monkeypatch.setattr(calling, "send", send_slowly)
    for _ in range(AT_ONCE + 1):
        add(service.client(account=service.sign_up()), "ntfys://topic")
    calls = asyncio.create_task(calling.call_due(worker))
    while len(under_way) < calling.NOTICES_AT_ONCE:
        await asyncio.sleep(0.01)
    asked = {"url": receiver.url, "events": ["share.made"], "everybody": True}
    assert ask(administrator, "POST", "/v1/webhooks", json=asked).status_code == 201
    service.share_link()
    async with asyncio.timeout(20):
        while not receiver.requests:
            await asyncio.sleep(0.01)
    assert len(under_way) == calling.NOTICES_AT_ONCE
    ending.set()
    await calls
    assert len(under_way) == AT_ONCE + 1


@pytest.mark.parametrize("kind", ["account", "redirect"])
async def test_notices_reach_only_the_addresses_that_are_allowed(
    client: httpx.Client, administrator: httpx.Client, receiver: Receiver, worker: Context, kind: str
) -> None:
    is_for_all = kind == "redirect"
    asking = administrator if is_for_all else client
    receiver.answers, receiver.headers = [307], {"Location": "http://127.0.0.2:9/"} if is_for_all else {}
    add(asking, url_of(receiver), everybody=is_for_all)
    await calling.call_webhooks(worker)
    receiver.answers, receiver.headers = [], {}
    found = the_one(asking, everybody=str(is_for_all).lower())
    assert "outside the public internet" in found["error"]
    assert found["enabled"]
    assert len(receiver.requests) == is_for_all


@pytest.mark.parametrize("url", ["nonsense://x", READS_A_FILE])
async def test_a_url_that_will_never_do_is_disabled_at_once(client: httpx.Client, worker: Context, url: str) -> None:
    notice = add(client, url)
    await calling.call_webhooks(worker)
    found = the_one(client)
    assert not found["enabled"]
    assert found["error"]
    assert ask(client, "POST", f"/v1/notices/{notice['id']}/ping").status_code == 409


async def test_a_url_that_was_sealed_with_another_key_must_be_given_again(
    client: httpx.Client, worker: Context
) -> None:
    notice = add(client, "ntfys://topic")
    await calling.call_webhooks(replace(worker, key_secret="another"))
    assert the_one(client)["error"] == notices.NoticeSealed().message
    changes = {"url": "json://host", "enabled": True}
    answer = ask(client, "PATCH", f"/v1/notices/{notice['id']}", json=changes)
    assert (answer.json()["service"], answer.json()["error"], answer.json()["enabled"]) == ("json", None, True)


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "ntfy", "ntfy://", "ntfy://a b", "ntfy://a\nb", "ntfy://a\0", "ntfy://\ud800", "n tfy://a"),
        *("syslog://", "syslog://local0", "SYSLOG://x", "dbus://x", "apprise://host/token", "ntfy://" + "a" * 2048),
    ],
)
def test_bad_input_adds_nothing(client: httpx.Client, url: str) -> None:
    body = json.dumps({"url": url, "events": ["share.made"]})
    answer = client.post("/v1/notices", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert client.get("/v1/notices").json() == {"notices": []}


def test_an_account_has_a_few_notices_which_are_no_webhooks_and_nobody_elses(
    service: ShareService, client: httpx.Client
) -> None:
    found = [add(client, "ntfy://topic") for _ in range(WEBHOOKS_EACH)]
    asked = {"url": "ntfy://topic", "events": ["share.made"]}
    answer = client.post("/v1/notices", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")
    assert client.get("/v1/webhooks").json() == {"webhooks": []}
    assert client.delete(f"/v1/webhooks/{found[0]['id']}").status_code == 404
    other = service.client(account=service.sign_up())
    assert other.patch(f"/v1/notices/{found[0]['id']}", json={"enabled": False}).status_code == 404
    assert client.post("/v1/notices", json={**asked, "everybody": True}).status_code == 403
    assert client.delete(f"/v1/notices/{found[0]['id']}").status_code == 204
    assert service.client().get("/v1/notices").status_code == 401


PROBES = {
    "connect": "import socket; socket.create_connection(('127.0.0.1', 1))",
    "a name": "import socket; socket.socket().connect(('localhost', 1))",
    "a local socket": "import socket; socket.socket(socket.AF_UNIX).connect('/run/x')",
    "a packet": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('10.0.0.1', 514))",
    "a mapped address": "import socket; socket.socket(socket.AF_INET6).connect(('::ffff:127.0.0.1', 1))",
    "listen": "import socket; socket.socket().bind(('', 8099))",
    "a program": "import subprocess; subprocess.run(['true'])",
    "a shell": "import os; os.system('true')",
    "a fork": "import os; os.fork()",
    "a file": "open('/etc/passwd')",
    "a file by a detour": "import sys; open(sys.prefix + '/../../../../../../../../../etc/passwd')",
    "a key of the machine": "open('/etc/ssl/private/key.pem')",
    "this process": "open('/proc/self/environ')",
    "a new file": "import sys; open(sys.prefix + '/new', 'w')",
    "removing": "import os; os.remove('/tmp/x')",
    "the log of the system": "import syslog; syslog.syslog('x')",
}


def test_the_process_of_notices_reaches_nothing_of_this_machine() -> None:
    code = f"""
import json
from share_service.webhooks.notice_process import Forbidden, Guard
guard = Guard(())
guard.install()
passed = []
for name, probe in json.loads({json.dumps(PROBES)!r}).items():
    try:
        exec(probe)
    except Forbidden:
        continue
    except Exception as error:
        name = f"{{name}}: {{error!r}}"
    passed.append(name)
print(json.dumps(passed))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=60)
    assert json.loads(ran.stdout or b"null") == [], ran.stderr.decode()


def test_names_in_notices_are_short_and_in_one_line() -> None:
    data = {"name": "\x1b\n" + "x" * 1000, "size": 3 * 1024**3, "share_id": str(uuid4())}
    title, body = notices.text_of([Event(1, "share.made", clock.now(), data)])
    assert (title, body.endswith("… (3.0 GiB)"), body.isprintable(), len(body) < 250) == (
        "Waystation",
        True,
        True,
        True,
    )


@pytest.mark.parametrize(("module", "seconds"), [("no_such_module", 30.0), ("asyncio", 0.2)])
async def test_a_process_that_dies_or_hangs_has_failed(
    client: httpx.Client, worker: Context, monkeypatch: pytest.MonkeyPatch, module: str, seconds: float
) -> None:
    monkeypatch.setattr(notices, "MODULE", module)
    monkeypatch.setattr(notices, "SECONDS", seconds)
    add(client, "ntfys://topic")
    await calling.call_webhooks(worker)
    assert the_one(client)["error"] == notices.NoticeFailed().message


async def test_a_process_that_cannot_be_started_has_failed(
    client: httpx.Client, worker: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent")
    add(client, "ntfys://topic")
    await calling.call_webhooks(worker)
    assert the_one(client)["error"] == notices.NoticeFailed().message


async def answer_mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Speak SMTP; what was said by the client."""
    said = list[str]()
    writer.write(b"220 ready\r\n")
    while line := (await reader.readline()).decode().rstrip():
        said.append(line)
        verb = line.split(" ")[0].upper()
        answers = {"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "235 in", "DATA": "354 go on", "QUIT": "221 bye"}
        writer.write(f"{answers.get(verb, '250 ok')}\r\n".encode())
        if verb == "DATA":
            said.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            writer.write(b"250 taken\r\n")
    return "\n".join(said)


async def answer_matrix(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Speak as much of Matrix and ntfy over HTTP as a message needs; what was asked."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
    body = await reader.readexactly(length)
    answer = json.dumps({"access_token": "t", "user_id": "@u:h", "home_server": "h", "room_id": "!r:h"}).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
    writer.write(f"Content-Length: {len(answer)}\r\n\r\n".encode() + answer)
    return head.decode() + body.decode()


Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[str]]


@pytest.mark.long
@pytest.mark.parametrize(
    ("url", "server", "expected"),
    [
        ("mailto://u:p@127.0.0.1:{port}?from=a@b.example&to=c@d.example", answer_mail, "rcpt TO:<c@d.example>"),
        ("ntfy://127.0.0.1:{port}/topic", answer_matrix, '"topic": "topic"'),
        ("matrix://u:p@127.0.0.1:{port}/#room", answer_matrix, "/send/m.room.message/"),
    ],
    ids=["mail", "ntfy", "Matrix"],
)
async def test_services_that_people_host_themselves_get_notices(
    worker: Context, url: str, server: Server, expected: str
) -> None:
    said = list[str]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(await server(reader, writer))
        writer.close()

    serving = await asyncio.start_server(serve, "127.0.0.1", 0)
    given = url.format(port=serving.sockets[0].getsockname()[1])
    now = clock.now()
    sealed = notices.seal_of(worker).close(given.encode())
    notice = Webhook(uuid4(), EVERYBODY, "x", [], True, now, now, 0, None, None, kind="notice", sealed=sealed)
    event = Event(1, "share.made", now, {"name": "report.pdf", "size": 5})
    assert await notices.send(worker, notice, [event]) is None
    serving.close()
    everything = "\n".join(said)
    assert expected in everything
    assert "report.pdf (5 bytes)" in everything
