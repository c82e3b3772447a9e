"""Mirage's common rules (tokens, bodies, paths, origins), and the calls that this system does not have."""

from typing import Any

import httpx
import pytest

from tests.contract.mirage import wire
from tests.contract.mirage.wire import User, refused, succeeded

JSON = {"Content-Type": "application/json"}
POSTS = (
    *("create_room", "join_room", "send_room_message", "send_inbox_message", "delete_inbox_message"),
    "user/settings",
)
GETS = ("rooms", "user_rooms", "room_members/1", "get_room_messages?room_id=1", "inbox", "inbox_count")
SOCIAL = (
    *(("POST", name) for name in ("create_post", "vote_post", "reply_to_post", "follow", "unfollow")),
    *(("GET", name) for name in ("get_posts/name", "get_post_by_id/1", "get_replies/1", "get_followers/name")),
    *(("GET", name) for name in ("get_following/name", "check_follow?username=name", "fyp")),
)
FULL: dict[str, dict[str, object]] = {
    "create_room": {"room_name": "a name", "is_private": 1, "password": "x"},
    "join_room": {"name": "a name"},
    "send_room_message": {"room_id": 1, "message": "x"},
    "send_inbox_message": {"recipient": "x", "message": "x"},
    "delete_inbox_message": {"message_id": 1},
    "user/settings": {"description": "x"},
}


def test_the_ping_answers_anyone(mirage: httpx.Client) -> None:
    assert succeeded(mirage.get("/api/ping")) == {"message": "pong"}


@pytest.mark.parametrize("token", wire.UNKNOWN_TOKENS)
def test_an_unknown_token_is_unauthorized_everywhere(mirage: httpx.Client, token: str) -> None:
    headers = {"Authorization": token}
    for path in GETS:
        refused(mirage.get(f"/api/{path}", headers=headers), 401, "unauthorized")
    for path in POSTS:
        refused(mirage.post(f"/api/{path}", json=FULL[path], headers=headers), 401, "unauthorized")


def test_a_replaced_token_is_unauthorized(new_user: User) -> None:
    old = new_user.headers
    new_user.log_in()
    if new_user.client.headers["Host"].startswith("mirage."):
        refused(new_user.client.get("/api/rooms", headers=old), 401, "unauthorized")
    succeeded(new_user.get("rooms"))


def test_a_token_is_invalid_after_logging_out(new_user: User) -> None:
    succeeded(new_user.client.post("/api/logout", json={"token": new_user.token}), message="logged out successfully")
    refused(new_user.get("rooms"), 401, "unauthorized")
    refused(new_user.post("send_room_message", room_id=1, message="x"), 401, "unauthorized")


def test_a_signed_token_is_accepted_after_bearer(client: httpx.Client, user: User) -> None:
    for path in ("rooms", "user_rooms", "inbox", "inbox_count"):
        succeeded(user.client.get(f"/api/{path}", headers=wire.native(client, user)))


@pytest.mark.parametrize("path", POSTS)
def test_bodies_must_be_json_objects_with_the_json_content_type(user: User, path: str) -> None:
    refused(user.client.post(f"/api/{path}", data={"room_name": "x"}, headers=user.headers), 415)
    refused(user.client.post(f"/api/{path}", content=b"{}", headers=user.headers), 415)
    for body in (b"", b"{", b"[]", b"null", b"[" * 10_000 + b"]" * 10_000, b'{"name":"\xff"}', b'{"name":"\\ud800"}'):
        refused(user.client.post(f"/api/{path}", content=body, headers=user.headers | JSON), 400)


@pytest.mark.parametrize("path", POSTS)
def test_a_body_of_megabytes_is_refused(user: User, path: str) -> None:
    refused(user.post(path, **{**FULL[path], "other": "x" * 2_000_000}), 413)


@pytest.mark.parametrize(
    "path", ["ping", "rooms", "usercount", "inbox", "create_room", "upload_file", "room_members/1"]
)
def test_a_path_with_a_final_slash_is_not_found(user: User, path: str) -> None:
    method = "POST" if path in ("create_room", "upload_file") else "GET"
    answer = user.client.request(method, f"/api/{path}/", headers=user.headers)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")


@pytest.mark.parametrize(("method", "path"), SOCIAL)
def test_calls_for_posts_and_followers_are_not_found(user: User, method: str, path: str) -> None:
    body: dict[str, Any] = {"json": {"content": "x"}} if method == "POST" else {}
    answer = user.client.request(method, f"/api/{path}", headers=user.headers | {"Origin": "https://a.example"}, **body)
    refused(answer, 404)
    assert answer.headers["access-control-allow-origin"] == "*"


def test_there_is_no_way_to_leave_a_room(user: User) -> None:
    for path in ("leave_room", "nonsense"):
        answer = user.post(path, room_id=1)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", path) for path in (*POSTS, "upload_file", "register", "login", "logout", "create_post")),
        *(("GET", path) for path in (*GETS, "ping", "usercount", "user/name", "fyp")),
    ],
)
def test_pages_of_any_origin_may_call(mirage: httpx.Client, method: str, path: str) -> None:
    headers = {
        "Origin": "https://mirage-web.example",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    allowed = mirage.options(f"/api/{path}", headers=headers)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] in ("*", headers["Origin"])
    assert {"authorization", "content-type"} <= set(allowed.headers["access-control-allow-headers"].lower().split(", "))
    answer = mirage.request(method, f"/api/{path}", headers={"Origin": headers["Origin"]})
    assert answer.headers["access-control-allow-origin"] in ("*", headers["Origin"])


def test_a_wrong_method_is_answered_in_json(mirage: httpx.Client) -> None:
    for method, path in (("POST", "ping"), ("GET", "create_room"), ("PUT", "inbox"), ("GET", "upload_file")):
        refused(mirage.request(method, f"/api/{path}"), 405)
