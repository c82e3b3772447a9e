"""The calls of MirrorAce's contract that many tests need."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.contract.mirrorace.clients import Fields, Form, curl_form

PASSWORD = "correct horse battery"


def succeeded(answer: httpx.Response) -> Any:
    """Assert a success and return its result."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"status", "result"}
    assert body["status"] == "success", body
    return body["result"]


def refused(answer: httpx.Response, text: str | None = None) -> str:
    """Assert an error, which is a text in an answer with status 200, and return the text."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"status", "result"}
    assert (body["status"], type(body["result"])) == ("error", str)
    assert text is None or text in body["result"]
    return body["result"]


@dataclass
class Sender:
    """An account with an API key. `client` calls the service that speaks the dialect."""

    client: httpx.Client
    api_key: str
    api_token: str
    mirrors: Sequence[int] = field(default_factory=tuple[int, ...])

    @staticmethod
    def register(shared: httpx.Client, client: httpx.Client) -> "Sender":
        """Register an account; `shared` calls a host that speaks the native API."""
        asked = {"name": f"ace-{secrets.token_hex(6)}", "password": PASSWORD}
        answer = shared.post("/v1/auth/register", json=asked)
        assert answer.status_code == 201, answer.text
        return Sender.of_token(shared, client, answer.json()["token"])

    @staticmethod
    def of_token(shared: httpx.Client, client: httpx.Client, token: str) -> "Sender":
        """Create an API key for the account that the token belongs to."""
        bearer = {"Authorization": f"Bearer {token}"}
        made = shared.post("/v1/account/keys", json={"name": "ace"}, headers=bearer)
        assert made.status_code == 201, made.text
        return Sender(client, made.json()["api_key"], made.json()["api_token"])

    @property
    def credentials(self) -> dict[str, str]:
        return {"api_key": self.api_key, "api_token": self.api_token}

    def variables(self) -> dict[str, Any]:
        """The variables of an upload, from `file/upload`."""
        return succeeded(self.client.post("/api/v1/file/upload", data=self.credentials))

    def fields(self, variables: dict[str, Any], **more: str) -> list[tuple[str, str]]:
        """The fields that every request of an upload has."""
        tied = {name: variables[name] for name in ("cTracker", "upload_key")}
        mirrors = [("mirrors[]", str(mirror)) for mirror in self.mirrors]
        return [*self.credentials.items(), *tied.items(), *mirrors, *more.items()]

    def send(self, form: Form, content_range: str | None = None) -> httpx.Response:
        """Send one form to `server_file`."""
        kind, body = form
        headers = {"Content-Type": kind} | ({"Content-Range": content_range} if content_range else {})
        return self.client.post("/api/v1/upload", content=body, headers=headers)

    def post(
        self, fields: Fields, payload: bytes, content_range: str | None = None, name: str = "name.bin"
    ) -> httpx.Response:
        return self.send(curl_form(fields, name, payload), content_range)
