"""The interim answer of the IETF's draft on resumable uploads, through the gateway."""

import socket
from urllib.parse import urlsplit

import pytest

from deploy.local.stack import StartedStack

CONTENT = b"12345"


def answers(stack: StartedStack, expectation: str) -> list[tuple[str, dict[str, str]]]:
    """Every answer to one upload: its status line and headers. The body is sent only after the first one."""
    head = (
        "POST /v1/uploads HTTP/1.1\r\nHost: here\r\nUpload-Complete: ?1\r\nConnection: close\r\n"
        f"{expectation}Content-Length: {len(CONTENT)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", urlsplit(stack.url).port or 80), timeout=20) as connection:
        connection.sendall(head.encode())
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(4096)
        connection.sendall(CONTENT)
        while block := connection.recv(4096):
            received += block
    found: list[tuple[str, dict[str, str]]] = []
    for answer in received.decode().split("\r\n\r\n"):
        if answer.startswith("HTTP/1.1"):
            status, *lines = answer.split("\r\n")
            found.append((status, {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}))
    return found


@pytest.mark.parametrize("expectation", ["", "Expect: 100-continue\r\n"], ids=["at once", "asked"])
def test_the_address_of_an_upload_comes_before_its_body_is_there(stack: StartedStack, expectation: str) -> None:
    *interim, (status, final) = answers(stack, expectation)
    assert status.split(" ")[1] == "201"
    told = [headers for line, headers in interim if line.split(" ")[1] == "104"]
    # Once, and for the upload that the content went to.
    assert [headers["location"] for headers in told] == [final["location"]]
    assert told[0]["upload-limit"].startswith("max-size=")
    assert final["upload-complete"] == "?1"
