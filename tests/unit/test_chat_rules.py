"""The rules of rooms: names, texts, ranks, settings."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode

from chat_service.filters import Filter, MessageEmpty, MessageRefused, MessageTooLarge, MessageUnusable, Texts
from chat_service.live import Frame
from chat_service.rooms import names
from chat_service.rooms.model import (
    Member,
    MemberRole,
    heir,
)
from chat_service.rooms.names import RoomNameUnusable
from chat_service.settings import ChatSettings
from common.lookalikes import is_blank

START = datetime(2026, 1, 1, tzinfo=UTC)


def member(number: int, role: MemberRole = MemberRole.MEMBER, joined: int = 0) -> Member:
    return Member(UUID(int=number), role, None, START + timedelta(seconds=joined))


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("Lounge", "lOUNGE"),
        ("caf\u00e9", "cafe\u0301"),
        ("Stra\u00dfe", "STRASSE"),
        ("\uff21\uff22", "ab"),
        ("\u210c", "h"),
        ("a\u200db", "ab"),
        ("  a ", "a"),
    ],
)
def test_room_names_that_look_alike_are_the_same(one: str, another: str) -> None:
    assert names.lookup_key(one) == names.lookup_key(another) != ""


@pytest.mark.parametrize(
    "name", ["a", "x" * 100, "\u0915\u094d\u200d\u0937", "\U0001f986" * 100, "a  b", "e\u0301" * 100]
)
def test_usable_names(name: str) -> None:
    assert names.shown(names.shown(name)) == names.shown(name)


@pytest.mark.parametrize(
    "name",
    ["", " ", "x" * 101, "a\0", "a\tb", "a\u2028b", "\u200b", "\u200d", "\ud800", "\x7f", "\u202ea", "x" * 10_000_000],
)
def test_unusable_names(name: str) -> None:
    with pytest.raises(RoomNameUnusable):
        names.shown(name)
    assert names.lookup_key(name) == ""


@given(st.text(max_size=120))
def test_a_room_name_is_refused_or_can_be_shown_and_looked_up(name: str) -> None:
    try:
        shown = names.shown(name)
    except RoomNameUnusable:
        # Rooms that were named so when it was allowed are still found.
        assert names.lookup_key(name) == "" or any(is_blank(character) for character in name)
    else:
        assert 0 < len(shown) <= names.NAME_LENGTH
        assert names.lookup_key(name) == names.key(shown) == names.lookup_key(shown) != ""


@given(st.text(st.characters(), max_size=40), st.integers(1, 60))
def test_a_text_is_stored_unchanged_or_refused(text: str, limit: int) -> None:
    try:
        assert Texts().accept(text, limit) == text
    except MessageEmpty:
        assert is_blank(text[: limit + 1])
    except MessageUnusable:
        assert "\0" in text or not text.isascii()
    except MessageTooLarge:
        assert len(text.encode(errors="surrogatepass")) > limit
    else:
        assert len(text.encode()) <= limit


def test_filters_are_applied_in_the_given_order() -> None:
    texts = Texts([Filter.compile("cat", "replace", "dog"), Filter.compile("dog", "refuse", "")])
    with pytest.raises(MessageRefused):
        texts.accept("a cat", 100)
    groups = Texts([Filter.compile(r"(\w+)@(\w+)", "replace", r"\2 at \1")])
    assert groups.accept("ann@home", 100) == "home at ann"


def test_a_room_is_inherited_by_its_oldest_moderator_or_else_its_oldest_member() -> None:
    owner, old, new = member(1, MemberRole.OWNER), member(2, joined=5), member(3, joined=9)
    moderators = [member(4, MemberRole.MODERATOR, 20), member(5, MemberRole.MODERATOR, 10)]

    def of(*found: Member) -> Member | None:
        return heir({one.account_id: one for one in found})

    assert of(owner, new, old, *moderators) == moderators[1]
    assert of(new, owner, old) == old
    assert of(owner) is None


NEEDED = {
    "database_url": "postgresql://",
    "valkey_url": "redis://",
    "auth_url": "http://auth",
    "share_url": "http://share",
    "service_secret": "secret",
}


def test_the_default_bounds() -> None:
    bounds = ChatSettings.model_validate(NEEDED).bounds()
    assert (bounds.lifetime_seconds, bounds.capacity, bounds.public_rooms) == (1800, 100, 5)
    assert (bounds.lifetime_max_seconds, bounds.capacity_max, bounds.message_bytes) == (604_800, 1000, 16_384)


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_filters": [{"pattern": "(", "action": "refuse"}]},
        {"message_filters": [{"pattern": "a", "action": "replace", "with": r"\1"}]},
        {"message_filters": [{"pattern": "a", "action": "replace", "with": r"\g<none>"}]},
        {"message_filters": [{"pattern": "", "action": "refuse"}]},
        {"message_filters": [{"pattern": "a", "action": "shout"}]},
        {"message_filters": [{"pattern": "a", "action": "refuse", "to": "b"}]},
        {"message_filters": [{"action": "refuse"}]},
        {"room_lifetime_seconds": 10, "room_lifetime_max_seconds": 9},
        {"room_capacity": 10, "room_capacity_max": 9},
        {"room_capacity": 0},
        {"public_rooms": -1},
        {"message_bytes": 0},
    ],
    ids=str,
)
def test_impossible_settings_prevent_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChatSettings.model_validate({**NEEDED, **wrong})


def test_filters_come_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("MESSAGE_FILTERS", '[{"pattern": "a", "action": "replace", "with": "b"}]')
    settings = ChatSettings()  # pyright: ignore[reportCallIssue]
    assert Texts(settings.filters()).accept("banana", 100) == "bbnbnb"


@pytest.mark.parametrize("size", [2, 125, 126, 65535, 65536])
def test_a_frame_is_the_text_message_that_a_server_of_websockets_sends(size: int) -> None:
    content = b"[" + b"x" * (size - 2) + b"]"
    assert Frame(content, None).wire == WebSocketFrame(Opcode.TEXT, content).serialize(mask=False)
