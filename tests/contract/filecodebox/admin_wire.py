"""The calls of FileCodeBox's administration, as its pages send them."""

from typing import Any

import httpx

from tests.contract.filecodebox.wire import detail

HEALTH = {
    *("healthAttentionCount", "healthDangerCount", "healthWarningCount", "expiringSoonCount", "storageIssueCount"),
    *("neverRetrievedCount", "healthyCount", "permanentCount"),
}
"""The counts of what needs attention."""


def log_in(client: httpx.Client, password: str) -> str:
    """Sign in as the page does, and return the token."""
    return detail(client.post("/admin/login", json={"password": password}))["token"]


def listed(client: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    return detail(client.get("/admin/file/list", params={"page": 1, "size": 100, "keyword": "", **query}))["data"]


def row_of(client: httpx.Client, code: str) -> dict[str, Any]:
    """The row of the share with this code."""
    (row,) = [row for row in listed(client, keyword=code) if row["code"] == code]
    return row


def detail_of(client: httpx.Client, file_id: str) -> dict[str, Any]:
    return detail(client.get("/admin/file/detail", params={"id": file_id}))


def change(client: httpx.Client, method: str, path: str, **body: Any) -> httpx.Response:
    """Send a JSON body by any method, also by DELETE."""
    return client.request(method, f"/admin{path}", json=body)
