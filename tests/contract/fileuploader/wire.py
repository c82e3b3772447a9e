"""The calls of File Uploader's contract that many tests need."""

import json
import secrets
from typing import Any

import httpx

AUTH_ERRORS = {
    -1: "No Authorization header provided",
    -2: "Authorization header must have Bearer <token> format",
    -3: "Access token expired",
    -4: "Invalid access token",
    -5: "Token not found",
}
PASSWORD = "My cool password"


def new_name() -> str:
    """A user name that no other test has."""
    return f"My cool username {secrets.token_hex(6)}"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def succeeded(answer: httpx.Response, message: str | None = None) -> dict[str, Any]:
    """Assert a success and return its body."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["status"] == "success"
    assert message is None or body["message"] == message
    return body


def refused(answer: httpx.Response, status: int, message: str, error_id: int | None = None) -> None:
    """Assert an error: its status, its message, and its number if it has one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert (body["status"], body["message"]) == ("error", message)
    assert body.get("errorId") == error_id
    # A client appends this value to a string, which fails if it is an object.
    assert "auth_error" not in body


def unauthorized(answer: httpx.Response, error_id: int) -> None:
    """Assert an error of section 1.1."""
    assert answer.status_code == 401, answer.text
    body = answer.json()
    assert body["auth_error"] == {"message": AUTH_ERRORS[error_id], "errorId": error_id}
    assert (body["status"], body["message"]) == ("error", "Auth error")


def register(client: httpx.Client, name: str | None = None, password: str = PASSWORD, bot: str | None = None) -> str:
    """Register an account and return its token."""
    asked = {"username": name or new_name(), "password": password}
    answer = client.post("/api/register", json=asked, params={"bot": bot} if bot else None)
    return succeeded(answer)["accessToken"]


def post(
    client: httpx.Client,
    content: bytes,
    name: str = "test.txt",
    *,
    path: str = "/api/upload",
    token: str | None = None,
    **query: str,
) -> httpx.Response:
    headers = bearer(token) if token else None
    return client.post(path, params=query, files={"file": (name, content)}, headers=headers)


def upload(client: httpx.Client, content: bytes = b"content", name: str = "test.txt", **options: Any) -> dict[str, Any]:
    """Upload a file and return the body of the answer."""
    return succeeded(post(client, content, name, **options), "File uploaded successfully")


def listed(client: httpx.Client, token: str, path: str = "/api/get_files") -> list[dict[str, Any]]:
    return succeeded(client.get(path, headers=bearer(token)), "files got successfully")["data"]


def delete(client: httpx.Client, file_url: str, key: str | None) -> httpx.Response:
    return client.get(f"/api/delete/{file_url}", params={"key": key} if key is not None else None)


def send_raw(client: httpx.Client, path: str, content: bytes, content_type: str | None = "application/json") -> Any:
    """Post a body as it is, even if it is malformed."""
    return client.post(path, content=content, headers={"Content-Type": content_type} if content_type else None)


def nested(depth: int) -> bytes:
    return b'{"username":' + b"[" * depth + b"]" * depth + b"}"


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()
