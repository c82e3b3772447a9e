"""The rate limits of File Uploader's calls, on a system with narrow limits."""

import httpx

from tests.contract.conftest import Visitor
from tests.contract.fileuploader import wire
from tests.contract.fileuploader.wire import refused, succeeded

CALLS_PER_MINUTE = 5
UPLOADS_PER_MINUTE = 2


def throttled(answer: httpx.Response, per_minute: int) -> None:
    assert answer.status_code == 429, answer.text
    assert answer.json()["error"] == f"Rate limit exceeded: {per_minute} per 1 minute"
    assert 0 < int(answer.headers["retry-after"]) <= 60


def test_uploads_are_limited_for_each_client(visitor: Visitor) -> None:
    client, other = visitor(), visitor()
    # Refused uploads do not count.
    for _ in range(3):
        refused(wire.post(client, b"x", "README"), 400, "Bad file extension")
    for _ in range(UPLOADS_PER_MINUTE):
        wire.upload(client)
    throttled(wire.post(client, b"x"), UPLOADS_PER_MINUTE)
    throttled(wire.post(client, b"x", path="/api/upload/private"), UPLOADS_PER_MINUTE)
    wire.upload(other)


def test_a_file_over_the_configured_limit_is_refused(visitor: Visitor) -> None:
    client = visitor()
    refused(wire.post(client, b"\0" * (1024 * 1024 + 1)), 413, "File size exceeds the limit (1MB)")
    wire.upload(client, b"\0" * 1024 * 1024)


def test_each_account_call_has_a_limit_of_its_own(visitor: Visitor) -> None:
    client = visitor()
    for path, body in (
        ("/api/register", {"username": "", "password": ""}),
        ("/api/login", {"username": "", "password": ""}),
        ("/api/refresh_token", {}),
        ("/api/logout", {}),
    ):
        answers = [client.post(path, json=body) for _ in range(CALLS_PER_MINUTE + 1)]
        assert [answer.status_code for answer in answers[:-1]] == [answers[0].status_code] * CALLS_PER_MINUTE
        assert answers[0].status_code in (400, 401)
        throttled(answers[-1], CALLS_PER_MINUTE)


def test_reading_and_deleting_files_is_not_limited(visitor: Visitor) -> None:
    client = visitor()
    body = wire.upload(client)
    for _ in range(30):
        assert client.get(f"/file/{body['file_url']}").status_code == 200
        refused(wire.delete(client, body["file_url"], None), 400, "Invalid unique key")
    succeeded(wire.delete(client, body["file_url"], body["key"]))
