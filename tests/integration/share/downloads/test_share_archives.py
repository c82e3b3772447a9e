"""Shares of several items as archives: what the share service decides about them, and what it tells upload."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest

from share_service.downloads import archives
from tests.integration.share.running_share import ShareService

TEXTS = ({"text": "one", "name": "a"}, {"text": "two", "name": "a"}, {"text": "three", "name": "b"})


def sent(client: httpx.Client, *items: dict[str, Any], **terms: Any) -> dict[str, Any]:
    answer = client.post("/v1/shares", json={"items": items or TEXTS, **terms})
    assert answer.status_code == 201, answer.text
    return answer.json()


def ask(service: ShareService, statement: str, *values: object) -> list[Any]:
    with psycopg.connect(service.database_url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


def zip_of(client: httpx.Client, share: dict[str, Any], **headers: str) -> httpx.Response:
    return client.get(f"/v1/codes/{share['code']}/zip", headers=headers)


def place_of(answer: httpx.Response) -> tuple[str, str]:
    """The path in share's internal interface that stands for an answer's archive, and the ticket."""
    assert answer.status_code == 200, answer.text
    place = urlsplit(answer.headers["X-Store-Fallback"])
    share_id, tag = place.path.removeprefix("/internal/archives/").split("/")
    assert answer.headers["ETag"] == f'"{tag}"'
    return f"/internal/archives/{share_id}", parse_qs(place.query)["ticket"][0]


def test_an_archive_that_cannot_be_made_costs_nothing(service: ShareService, client: httpx.Client) -> None:
    share = sent(client, expire_style="count", expire_value=1)
    service.upload.is_down = True
    try:
        refused = zip_of(client, share)
    finally:
        service.upload.is_down = False
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    granted = zip_of(client, share)
    assert granted.status_code == 200
    # What broke off is continued, and nothing else.
    size = int(granted.headers["X-Store-Length"])
    assert (
        zip_of(client, share, Range=f"bytes={size // 2}-").headers["X-Store-Range"] == f"bytes={size // 2}-{size - 1}"
    )
    assert [zip_of(client, share).status_code, zip_of(service.client(), share).status_code] == [410, 410]
    assert ask(service, "select used_count from share where id = %s", share["id"]) == [(1,)]
    # The bytes of what was begun are still given out.
    path, ticket = place_of(granted)
    assert service.internal("POST", path, {"ticket": ticket}).status_code == 200


def test_upload_is_told_what_a_ticket_is_for(
    service: ShareService, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = sent(client)
    path, ticket = place_of(zip_of(client, share))
    told = service.internal("POST", path, {"ticket": ticket}).json()
    assert [(item["name"], item["size"], item["file_id"]) for item in told["items"]] == [
        *(("a", 3, None), ("a", 3, None), ("b", 5, None)),
    ]
    ids = [item["id"] for item in told["items"]]
    other = sent(client)
    asked = {"ticket": ticket, "item_ids": [ids[2], ids[0], other["items"][0]["id"]]}
    assert service.internal("POST", f"{path}/texts", asked).json() == {"texts": {ids[0]: "one", ids[2]: "three"}}
    monkeypatch.setattr(archives, "TICKET_VALID", timedelta(seconds=-5))
    _, expired = place_of(zip_of(client, share))
    monkeypatch.undo()
    _, others = place_of(zip_of(client, other))
    later = str(int(ticket.partition(".")[0]) + 9) + "." + ticket.partition(".")[2]
    for wrong in (expired, others, later, ticket[:-1], f"{ticket}x", "", ".", "x", "\0", "9" * 200):
        for call in (path, f"{path}/texts"):
            answer = service.internal("POST", call, {"ticket": wrong, "item_ids": []})
            assert (answer.status_code, answer.json()["code"]) == (404, "ticket_invalid"), wrong
    assert service.internal("POST", f"/internal/archives/{uuid4()}", {"ticket": ticket}).status_code == 404
    assert service.internal("POST", path, {"ticket": ticket}, "chat").status_code == 403
    assert client.post(path, json={"ticket": ticket}).status_code == 401
    assert client.delete(f"/v1/shares/{share['id']}", headers={"Share-Key": share["key"]}).status_code == 204
    assert service.internal("POST", path, {"ticket": ticket}).status_code == 410


def test_an_archive_has_what_has_arrived_once_nothing_is_awaited(service: ShareService, client: httpx.Client) -> None:
    share = sent(client, *TEXTS, {"name": "file", "size": 9})
    assert zip_of(client, share).json()["code"] == "not_ready"
    assert client.get(f"/c/{share['code']}").status_code == 425
    ask(service, "update item set state = 'failed' where share_id = %s and kind = 'file'", share["id"])
    path, ticket = place_of(zip_of(client, share))
    assert len(service.internal("POST", path, {"ticket": ticket}).json()["items"]) == 3
    ask(service, "update item set state = 'failed' where share_id = %s", share["id"])
    assert zip_of(client, share).json()["code"] == "unknown_code"


@pytest.mark.parametrize(
    ("title", "name"), [(None, "files.zip"), ("a/b\\c", "a-b-c.zip"), ("..", "...zip"), ("ä" * 200, "ä" * 125 + ".zip")]
)
def test_an_archive_is_named_after_the_title(client: httpx.Client, title: str | None, name: str) -> None:
    share = sent(client, title=title)
    facts = client.get(f"/share/metadata/?code={share['code']}").json()["detail"]
    assert (facts["name"], facts["type"]) == (name, "file")
    assert facts["size"] == int(zip_of(client, share).headers["X-Store-Length"])
