"""Direct parts through the gateway into an S3 server, and what the gateway lets nobody do there."""

import secrets
from collections.abc import Iterator

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.conftest import Engines, running_stack_on_s3

PART = 5 * 1024 * 1024

# It starts a system of its own; `test_direct_parts` of the upload service is in every run.
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def on_s3(tmp_path_factory: pytest.TempPathFactory, engines: Engines) -> Iterator[StartedStack]:
    with running_stack_on_s3(tmp_path_factory, engines) as stack:
        yield stack


def test_parts_pass_through_the_gateway(on_s3: StartedStack) -> None:
    content = secrets.token_bytes(PART + 5)
    with httpx.Client(base_url=on_s3.url, timeout=60, headers={"Origin": "https://elsewhere.example"}) as client:
        upload = client.post("/v1/uploads/direct", json={"size": len(content), "part_size": PART}).json()
        asked = client.post(f"/v1/uploads/{upload['id']}/parts", json={"numbers": [1, 2]}).json()
        first, second = (part["url"] for part in asked["parts"])
        assert first.startswith(f"{on_s3.url}/direct/")
        sent = client.put(first, content=content[:PART], headers={"Authorization": "Bearer x", "Cookie": "a=b"})
        assert (sent.status_code, sent.content) == (200, b"")
        # As pages of other origins need it.
        assert sent.headers["ETag"]
        assert sent.headers["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in sent.headers["Access-Control-Expose-Headers"]
        asking = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
        preflight = client.options(second, headers=asking)
        assert (preflight.status_code, preflight.headers["Access-Control-Allow-Methods"]) == (204, "PUT")
        # Nothing else is let through, however it is signed.
        for method, url, body, status in (
            ("PUT", second, content[:5] + b"1", 403),
            ("PUT", second, content[:4], 403),
            ("GET", second, None, 403),
            ("DELETE", second, None, 403),
            ("PUT", second.partition("?")[0], b"12345", 403),
            ("PUT", f"{on_s3.url}/direct/", b"12345", 403),
            ("PUT", second.replace("content-length%3Bhost", "host"), content[PART:], 403),
            ("PUT", second, iter([content[PART:]]), 403),
        ):
            answer = client.request(method, url, content=body)
            assert answer.status_code == status, (method, url, answer.text)
            # The store's own words name buckets and keys.
            assert answer.headers["Content-Type"] == "application/json"
        copied = client.put(second, content=content[PART:], headers={"X-Amz-Copy-Source": "/other/object"})
        assert copied.status_code == 200
        done = client.post(f"/v1/uploads/{upload['id']}/complete")
        assert done.status_code == 200, done.text
        assert client.put(second, content=content[PART:]).status_code == 404
        fetched = client.get(done.json()["url"])
        assert (fetched.status_code, fetched.content == content) == (200, True)
