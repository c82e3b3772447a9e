"""Refused uploads of MirrorAce through the gateway: the status is always 200, and nothing is left behind."""

import secrets
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.contract.mirrorace.clients import curl_form
from tests.contract.mirrorace.wire import Sender, refused, succeeded
from tests.contract.traces import Traces

LIMIT = 2 * 1024 * 1024 - 1
LARGEST = 8 * 1024 * 1024

NewSender = Callable[[], Sender]


def test_wrong_credentials_and_upload_keys_are_refused(
    sender: Sender, new_sender: NewSender, narrow_traces: Traces
) -> None:
    variables, other = sender.variables(), new_sender()
    fields = dict(sender.fields(variables))
    with narrow_traces.nothing_left():
        for changes, text in (
            ({"api_key": "0" * 32}, "Invalid api_key or api_token"),
            ({"api_token": "0" * 32}, "Invalid api_key or api_token"),
            ({"cTracker": "0" * 32}, "upload key"),
            ({"cTracker": other.variables()["cTracker"]}, "upload key"),
            ({"upload_key": "0" * 32}, "upload key"),
            (other.credentials, "upload key"),
        ):
            for content_range in (None, "bytes 0-0/1"):
                refused(sender.post([*(fields | changes).items()], b"x", content_range), text)
        narrow_traces.change(
            "upload", "update upload_key set expires_at = now() where id = %s", UUID(variables["cTracker"])
        )
        refused(sender.post([*fields.items()], b"x"), "expired")
    for call in ("file/upload", "upload/remote"):
        refused(sender.client.post(f"/api/v1/{call}", data={}))
        refused(sender.client.post(f"/api/v1/{call}", content=b"{}", headers={"Content-Type": "application/json"}))


@pytest.mark.parametrize(
    ("content_range", "size", "text"),
    [
        (None, LIMIT + 2, "at most"),
        (f"bytes 0-{LIMIT}/{LARGEST}", LIMIT + 2, "at most"),
        (f"bytes 0-9/{LARGEST + 1}", 10, "at most"),
        ("bytes 0-9/9", 10, "beyond the end"),
        ("bytes 5-9/20", 5, "does not follow"),
        ("bytes 0-9", 10, "Invalid Content-Range"),
    ],
)
def test_impossible_chunks_are_refused(
    sender: Sender, narrow_traces: Traces, content_range: str | None, size: int, text: str
) -> None:
    fields = sender.fields(sender.variables())
    with narrow_traces.nothing_left():
        refused(sender.post(fields, bytes(size), content_range), text)
    content = secrets.token_bytes(LIMIT + 1)
    succeeded(sender.post(fields, content, f"bytes 0-{LIMIT}/{LIMIT + 1}"))


def test_a_form_with_no_file_or_with_two_files_is_refused(sender: Sender, narrow_traces: Traces) -> None:
    fields = sender.fields(sender.variables())
    kind, body = curl_form(fields, "a.bin", b"x")
    boundary = b"--" + kind.partition("boundary=")[2].encode()
    file = body.split(boundary)[-2]
    with narrow_traces.nothing_left():
        refused(sender.send((kind, body.removesuffix(b"--\r\n") + file + boundary + b"--\r\n")), "Only one file")
        refused(sender.send((kind, body.replace(boundary + file, b""))), "files is missing")


def test_a_request_for_too_many_mirrors_is_refused(sender: Sender, narrow_traces: Traces) -> None:
    fields = sender.fields(sender.variables())
    with narrow_traces.nothing_left():
        refused(sender.post([*fields, *(("mirrors[]", str(number)) for number in range(4))], b"x"), "At most 3 mirrors")
    # The system has no mirrors, so the requested ones do not exist and are ignored.
    succeeded(sender.post([*fields, ("mirrors[13]", "13"), ("mirrors[63]", "63")], b"x"))
