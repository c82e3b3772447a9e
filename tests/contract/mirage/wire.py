"""The calls of Mirage's contract that many tests need."""

import secrets
from typing import Any

import httpx

PASSWORD = "correct horse battery"
ROOM_PASSWORD = "the room's password"
AGAIN, SPACED_AGAIN = "invalid token, please re-login", "invalid token , please re-login"
UNKNOWN_TOKENS = ("x", "null", "Bearer", "Bearer x", "00000000-0000-4000-8000-000000000000")


def new_name() -> str:
    """A name that no other test has, for a user or a room."""
    return f"My cool name {secrets.token_hex(6)}"


def succeeded(answer: httpx.Response, status: int = 200, **expected: Any) -> dict[str, Any]:
    """Assert a success whose body contains `expected`, and return the body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert {name: body[name] for name in expected} == expected
    return body


def refused(answer: httpx.Response, status: int, error: str | None = None) -> None:
    """Assert an error: its status, and its whole body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error"}
    assert error is None or answer.json() == {"error": error}


class User:
    """A user of Mirage, logged in."""

    def __init__(self, client: httpx.Client, **fields: str) -> None:
        self.client, self.name, self.email = client, new_name(), f"{secrets.token_hex(6)}@example.org"
        asked = {"username": self.name, "email": self.email, "password": PASSWORD, **fields}
        succeeded(client.post("/api/register", json=asked), 201, message="Welcome to MIRAGE")
        self.token = ""
        self.log_in()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.token}

    def log_in(self, password: str = PASSWORD) -> None:
        answer = self.client.post("/api/login", json={"username": self.name, "password": password})
        self.token = succeeded(answer, username=self.name)["token"]

    def get(self, path: str, **query: object) -> httpx.Response:
        params = {name: str(value) for name, value in query.items()} or None
        return self.client.get(f"/api/{path}", params=params, headers=self.headers)

    def post(self, path: str, **fields: object) -> httpx.Response:
        return self.client.post(f"/api/{path}", json=fields, headers=self.headers)

    def create(self, **fields: object) -> tuple[int, str]:
        """Create a private room and return its id and name."""
        name = new_name()
        asked = {"room_name": name, "is_private": 1, "password": ROOM_PASSWORD, **fields}
        body = succeeded(self.post("create_room", **asked), 201, message=f'room "{name}" created')
        return body["room_id"], name

    def join(self, name: str, password: str = ROOM_PASSWORD) -> httpx.Response:
        return self.post("join_room", name=name, password=password)

    def send(self, room_id: int, message: str) -> None:
        succeeded(self.post("send_room_message", room_id=room_id, message=message), message="sent")

    def messages(self, room_id: int) -> list[dict[str, Any]]:
        return succeeded(self.get("get_room_messages", room_id=room_id))["messages"]

    def texts(self, room_id: int) -> list[str]:
        return [row["message"] for row in self.messages(room_id)]

    def upload(
        self, room_id: object, content: bytes = b"content", name: str = "test.txt", **headers: str
    ) -> httpx.Response:
        """Upload a file with a form like that of `requests`, which sends the room first."""
        sent = {"data": {"room_id": str(room_id)}, "files": {"file": (name, content)}}
        return self.client.post("/api/upload_file", headers=self.headers | headers, **sent)  # type: ignore[arg-type]

    def inbox(self) -> list[dict[str, Any]]:
        return succeeded(self.get("inbox"))["messages"]


def native(client: httpx.Client, user: User) -> dict[str, str]:
    """The headers that sign the user in to the native API; `client` calls the shared host."""
    answer = client.post("/v1/auth/login", json={"name": user.name, "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['token']}"}
