"""No value in any field makes the chat service fail."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_service.app import create_app
from chat_service.settings import ChatSettings
from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, Someone, running_chat
from tests.integration.wild import EXAMPLES, Call, native_calls, send, wild_requests

NOWHERE = dict.fromkeys(("database_url", "valkey_url", "auth_url", "share_url"), "redis://127.0.0.1:1")
NATIVE = native_calls(create_app(ChatSettings.model_validate({**NOWHERE, "service_secret": "s" * 32})).openapi())
# Events last as long as somebody listens.
INSIDE = [call for call in NATIVE if "{room_id}" in call.path and not call.path.endswith("/events")]
DIALECTS = [
    Call("GET", "/api/ping"),
    Call("POST", "/api/create_room", {"token": "t", "room_name": "r", "name": "r", "is_private": False}),
    Call("POST", "/api/join_room", {"token": "t", "room_id": 1, "room_name": "r", "password": "p"}),
    Call("GET", "/api/rooms", query=("limit", "offset")),
    Call("GET", "/api/room_members/{room}"),
    Call("POST", "/api/send_room_message", {"token": "t", "room_id": 1, "message": "m"}),
    Call("POST", "/api/get_room_messages", {"token": "t", "room_id": 1, "limit": 1, "last_id": 1}),
    Call("POST", "/api/send_inbox_message", {"token": "t", "recipient": "r", "message": "m"}),
    Call("POST", "/api/inbox", {"token": "t", "limit": 1}),
    Call("POST", "/api/delete_inbox_message", {"token": "t", "message_id": 1, "id": 1}),
    Call("POST", "/api/inbox_count", {"token": "t"}),
]


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        yield service


@pytest.fixture(scope="module")
def someone(chat: ChatService) -> Someone:
    return chat.sign_up()


@EXAMPLES
@given(data=st.data())
@pytest.mark.parametrize("call", [*NATIVE, *DIALECTS], ids=str)
def test_no_value_is_too_wild(someone: Someone, call: Call, data: Any) -> None:
    send(someone.client, data.draw(wild_requests(call)))


@EXAMPLES
@given(data=st.data())
@pytest.mark.parametrize("call", INSIDE, ids=str)
def test_no_value_is_too_wild_for_a_room(someone: Someone, call: Call, data: Any) -> None:
    room = someone.create()
    inside = Call(call.method, call.path.replace("{room_id}", str(room)), call.fields, call.query)
    send(someone.client, data.draw(wild_requests(inside)))
