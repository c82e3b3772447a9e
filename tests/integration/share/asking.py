"""Short ways to ask a share service for something, and to look at its answers and its rows."""

from typing import Any

import httpx
import psycopg

from deploy.local import ports
from tests.integration.share.running_share import SharedFile, ShareService


def share_text(client: httpx.Client, text: str = "a text", **fields: Any) -> str:
    """Share a text as FileCodeBox's clients do, and return its code."""
    answer = client.post("/share/text/", data={"text": text, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()["detail"]["code"]


def download_url(client: httpx.Client, code: str) -> str:
    """The address to download a file, as FileCodeBox's clients get it for a code."""
    return client.post("/share/select/", json={"code": code}).json()["detail"]["download_url"]


def served(answer: httpx.Response) -> bool:
    """Whether the gateway is told to serve a file."""
    return answer.status_code == 200 and "x-store-path" in answer.headers


def said(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()


def is_page(answer: httpx.Response, status: int) -> bool:
    """Whether this is an HTML page with this status and every protective header."""
    headers = answer.headers
    assert answer.status_code == status, answer.text
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'; base-uri 'none'; frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-robots-tag"] == "noindex"
    assert "Accept-Language" in headers["vary"]
    return True


def change(service: ShareService, statement: str, *values: object) -> None:
    """Change rows behind the service's back."""
    with psycopg.connect(service.database_url, autocommit=True) as connection:
        connection.execute(statement.encode(), values)


def uses_left(service: ShareService, share: SharedFile) -> int | None:
    """The uses left, from the row."""
    with psycopg.connect(service.database_url) as connection:
        row = connection.execute("select uses_left from share where id = %s", [share.id]).fetchone()
    assert row is not None
    return row[0]


def nowhere() -> str:
    """An address where nothing listens, nor will: the kernel gives its port to nobody."""
    return f"127.0.0.1:{ports.choose(1)[0]}"
