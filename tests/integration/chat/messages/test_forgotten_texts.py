"""Texts that are over are nowhere: not in Valkey's keys, as it holds them in memory, and not in its file."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from chat_service.rooms.purging import forget_texts
from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, running_chat


@pytest.fixture(scope="module")
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        yield service


def secret() -> str:
    """A text that nobody else has."""
    return secrets.token_hex(16)


def holds(content: bytes, text: str) -> bool:
    """Whether there is any trace of the text. Its ends may be compressed together with what is beside them."""
    return any(text[start : start + 10].encode() in content for start in (4, 11, 18))


def held(valkey: "Redis", texts: dict[str, str]) -> set[str]:
    """The names of those texts that any key holds, also in parts that no command returns."""
    found: set[str] = set()
    for key in list(valkey.scan_iter("*room*", count=1000)):
        dumped: Any = valkey.dump(key)
        found |= {name for name, text in texts.items() if holds(dumped or b"", text)}
    return found


def written(valkey: "Redis", texts: dict[str, str]) -> set[str]:
    """The names of those texts that are in the file of Valkey."""
    place: Any = valkey.config_get("dir")
    folder = Path(place["dir"], "appendonlydir")
    if not folder.is_dir():
        pytest.skip("the engine runs in a container, with settings of its own")
    files = [_content(file) for file in folder.iterdir()]
    return {name for name, text in texts.items() if any(holds(file, text) for file in files)}


def _content(file: Path) -> bytes:
    """The bytes of a file, which the engine may have removed meanwhile, having rewritten it."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


async def test_texts_that_are_over_are_neither_in_memory_nor_in_the_file(chat: ChatService) -> None:
    texts = {name: secret() for name in ("kept", "deleted", "edited", "expired", "shortened", "closed", "erased")}
    ann, bob = chat.sign_up(), chat.sign_up()
    room, brief, shortened, closed = ann.create(), ann.create(lifetime_seconds=1), ann.create(), ann.create()
    ann.invite(room, bob)
    ann.say(room, texts["kept"])
    path = f"/v1/rooms/{room}/messages"
    assert ann.client.delete(f"{path}/{ann.say(room, texts['deleted'])}").status_code == 204
    edited = f"{path}/{ann.say(room, 'first')}"
    for text in (texts["edited"], "last"):
        assert ann.client.patch(edited, json={"text": text}).status_code == 200
    ann.say(brief, texts["expired"])
    ann.say(shortened, texts["shortened"])
    assert ann.client.patch(f"/v1/rooms/{shortened}", json={"lifetime_seconds": 1}).status_code == 200
    ann.say(closed, texts["closed"])
    assert ann.client.delete(f"/v1/rooms/{closed}").status_code == 204
    bob.say(room, texts["erased"])
    assert chat.internal("DELETE", f"/internal/accounts/{bob.id}", service="auth").status_code == 200
    with Redis.from_url(chat.valkey_url) as valkey:
        assert written(valkey, texts) == set(texts)
        left: set[str] = set()
        try:
            # What listeners are sent is kept for three seconds. A sweep that is broken off, as by an engine that does
            # not answer in time, does its work again after a minute.
            async with asyncio.timeout(150), chat.operating() as context:
                while (left := held(valkey, texts)) != {"kept"}:
                    await chat.sweep()
                    await asyncio.sleep(0.1)
                assert ann.texts(room) == [texts["kept"], "last"]
                while (left := written(valkey, texts)) != {"kept"}:
                    await forget_texts(context)
        except TimeoutError:
            pytest.fail(f"these are still there: {left}")
