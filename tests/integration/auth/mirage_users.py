"""Users of Mirage."""

import secrets
from typing import Any

import httpx

from tests.integration.auth.running import PASSWORD, AuthService, new_name

OWN_HOST = "mirage.example.org"
"""A host name at which only Mirage answers."""


class User:
    """Someone who registered and signed in by Mirage's calls."""

    def __init__(self, auth: AuthService, **fields: str) -> None:
        self.client, self.name = auth.client(host=OWN_HOST), new_name()
        self.email = f"{secrets.token_hex(6)}@example.org"
        asked = {"username": self.name, "email": self.email, "password": PASSWORD, **fields}
        assert self.client.post("/api/register", json=asked).status_code == 201
        self.token = self.log_in().json()["token"]

    def log_in(self, password: str = PASSWORD) -> httpx.Response:
        return self.client.post("/api/login", json={"username": self.name, "password": password})

    def set(self, token: str | None = None, **fields: Any) -> tuple[int, Any]:
        headers = {"Authorization": token or self.token}
        answer = self.client.post("/api/user/settings", json=fields, headers=headers)
        return answer.status_code, answer.json()

    def profile(self) -> dict[str, Any]:
        answer = self.client.get(f"/api/user/{self.name}")
        assert answer.status_code == 200
        return answer.json()
