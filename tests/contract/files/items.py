"""The requests of those who send and receive shares of items."""

from typing import Any

import httpx
import pytest

from tests.integration.upload.dialects.tus_client import create, metadata


def send(client: httpx.Client, *items: dict[str, Any], **terms: Any) -> dict[str, Any]:
    answer = client.post("/v1/shares", json={"items": items, **terms})
    assert answer.status_code == 201, answer.text
    return answer.json()


def fill(client: httpx.Client, item: dict[str, Any], content: bytes) -> httpx.Response:
    return create(client, len(content), content, Upload_Metadata=metadata(item=item["upload"], filename="ignored"))


def opened(client: httpx.Client, code: str, **headers: str) -> dict[str, Any]:
    answer = client.get(f"/v1/codes/{code}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def until_complete(client: httpx.Client, code: str) -> None:
    for _ in range(100):
        if opened(client, code)["complete"]:
            return
    pytest.fail("it is never complete")
