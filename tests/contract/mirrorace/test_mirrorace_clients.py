"""MirrorAce's three clients through the gateway, as they really behave, at sizes around the limit of a chunk."""

import json
import secrets
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.mirrorace.clients import (
    Form,
    curl_form,
    dot_net_chunks,
    dot_net_form,
    httpx_form,
    mirror_up_chunks,
    php_chunks,
)
from tests.contract.mirrorace.conftest import HOSTS
from tests.contract.mirrorace.wire import Sender, succeeded

PATIENCE_SECONDS = 60
GO_ON = b"HTTP/1.1 100 Continue\r\n"
LIMIT = 2 * 1024 * 1024 - 1
SIZES = [1, LIMIT, LIMIT + 1, LIMIT + 2, 2 * LIMIT, 2 * LIMIT + 1, 2 * LIMIT + 2, 2 * LIMIT + 3, 3 * LIMIT + 12345]
SHARED, OWN = HOSTS


def of_sizes(*sizes: int) -> pytest.MarkDecorator:
    """Files of these sizes on the shared host, and one of several chunks on the host of the dialect alone."""
    cases = [*((SHARED, size) for size in sizes), (OWN, 2 * LIMIT + 2)]
    return pytest.mark.parametrize(("new_sender", "size"), cases, indirect=["new_sender"])


OF_ANY_SIZE = of_sizes(*SIZES)


def fetched(sender: Sender, slug: str) -> bytes:
    """The content of a file, downloaded from its page as soon as it is verified."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = sender.client.get(f"/m/{slug}/download")
        if answer.status_code == 200:
            return answer.content
        assert answer.status_code == 425, answer.text
        assert time.monotonic() < until
        time.sleep(0.1)


def assert_whole(sender: Sender, result: dict[str, Any], variables: dict[str, Any], name: str, content: bytes) -> None:
    """Assert that the last answer, the downloaded file and the later `file/info` are right."""
    slug = result["slug"]
    url = f"{variables['server']}/m/{slug}"
    assert result == {"name": name, "size": str(len(content)), "slug": slug, "url": url, "info": "complete"}
    assert fetched(sender, slug) == content
    info = succeeded(sender.client.post("/api/v1/file/info", data={**sender.credentials, "files": slug}))[slug]
    assert (info["name"], info["size"], info["url"], info["status"]) == (name, str(len(content)), url, "active")
    assert sender.client.get(f"/m/{slug}").status_code == 200


def test_addresses_in_answers_name_the_host_of_the_request(sender: Sender) -> None:
    variables = sender.variables()
    server = f"http://{sender.client.headers['Host']}"
    assert variables["server"] == server
    assert variables["server_file"] == f"{server}/api/v1/upload?tracker={variables['cTracker']}"
    assert variables["server_remote"] == f"{server}/api/v1/upload/remote"
    assert (variables["max_chunk_size"], variables["max_mirrors"]) == (str(LIMIT), "3")


class Curl:
    """libcurl, as the service's own PHP example uses it: it sends `Expect: 100-continue` for bodies over 1 MiB."""

    def __init__(self, stack: StartedStack, sender: Sender) -> None:
        self._stack, self._sender = stack, sender
        self.asked = 0

    def post(self, form: Form, content_range: str) -> dict[str, Any]:
        """Post a form and return the result. The example reads an answer only if its status is 200."""
        kind, body = form
        headers = {
            "Host": self._sender.client.headers["Host"],
            "Accept": "*/*",
            "Content-Range": content_range,
            "Content-Length": str(len(body)),
            "Content-Type": kind,
            "Connection": "close",
        }
        expects = len(body) > 1024 * 1024
        if expects:
            headers["Expect"] = "100-continue"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        address = urlsplit(self._stack.url)
        with socket.create_connection((address.hostname or "", address.port or 0), timeout=30) as connection:
            connection.sendall(f"POST /api/v1/upload HTTP/1.1\r\n{head}\r\n".encode())
            if expects:
                assert connection.recv(4096).startswith(GO_ON)
                self.asked += 1
            connection.sendall(body)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        # Each server on the way may send this answer.
        while answer.startswith(GO_ON):
            answer = answer.partition(b"\r\n\r\n")[2]
        status, _, rest = answer.partition(b"\r\n")
        assert status == b"HTTP/1.1 200 OK"
        text = rest.partition(b"\r\n\r\n")[2]
        return succeeded(httpx.Response(200, json=json.loads(text[text.index(b"{") : text.rindex(b"}") + 1])))


@OF_ANY_SIZE
def test_the_php_example(narrow_stack: StartedStack, sender: Sender, size: int) -> None:
    variables, content = sender.variables(), secrets.token_bytes(size)
    assert size < int(variables["max_file_size"])
    curl = Curl(narrow_stack, sender)
    for header, payload in php_chunks(content, int(variables["max_chunk_size"])):
        result = curl.post(curl_form(sender.fields(variables), "php.bin", payload), header)
    assert curl.asked >= size // LIMIT
    # The example reads the address from the last answer only.
    assert_whole(sender, result, variables, "php.bin", content)


@OF_ANY_SIZE
def test_mirror_up(sender: Sender, size: int) -> None:
    variables, content = sender.variables(), secrets.token_bytes(size)
    # The client removes these two, and sends all other variables and all mirrors with each request.
    echoed = {name: str(value) for name, value in variables.items() if name not in ("mirrors", "default_mirrors")}
    fields = [*sender.credentials.items(), *echoed.items(), ("files", "text")]
    if size <= LIMIT:
        result = succeeded(sender.send(httpx_form(fields, "up.txt", content)))
    for header, payload in mirror_up_chunks(content, LIMIT) if size > LIMIT else ():
        result = succeeded(sender.send(httpx_form(fields, "up.txt", payload), header))
    assert_whole(sender, result, variables, "up.txt", content)


@of_sizes(*(size for size in SIZES if size % LIMIT or size == LIMIT))
def test_the_dot_net_client(sender: Sender, size: int) -> None:
    variables, content = sender.variables(), secrets.token_bytes(size)
    for number in ("max_chunk_size", "max_file_size", "max_mirrors"):
        int(variables[number])
    sent = list(dot_net_chunks(content, LIMIT))
    for index, (header, payload) in enumerate(sent):
        answer = sender.send(dot_net_form(sender.fields(variables), "net.bin", payload), header)
        if index == 1:
            # After a lost connection the client sends the same chunk again.
            answer = sender.send(dot_net_form(sender.fields(variables), "net.bin", payload), header)
        result = succeeded(answer)
        assert (result["info"] == "continue") == (index < len(sent) - 1)
    assert_whole(sender, result, variables, "net.bin", content)


def test_a_script_that_sends_chunks_without_a_range(sender: Sender) -> None:
    """Each chunk becomes a file of its own; the script shows the address of the last one."""
    variables = sender.variables()
    for payload in (secrets.token_bytes(100), secrets.token_bytes(200)):
        result = succeeded(sender.send(httpx_form(sender.fields(variables), "part.bin", payload)))
        assert_whole(sender, result, variables, "part.bin", payload)


def test_a_page_asks_for_the_files_password(sender: Sender) -> None:
    fields = sender.fields(sender.variables(), file_password="secret")
    slug = succeeded(sender.post(fields, b"content"))["slug"]
    assert sender.client.get(f"/m/{slug}/download").status_code != 200
    assert fetched(sender, succeeded(sender.post(sender.fields(sender.variables()), b"content"))["slug"]) == b"content"
