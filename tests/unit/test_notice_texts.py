"""The requests by which Apprise hands a notice to a service, up to the network, which is a stand-in."""

import json
from typing import Any

import pytest
import requests
from apprise import URLBase

from share_service.webhooks.notice_process import Guard, _sent

TITLE, NAME = "Waystation: 20 events", '<b>a&amp;b</b> _x_ *y* [z](q) \\`c` "ü😀.pdf'
TELEGRAM_LIMIT = 4096
HTML = '&lt;b&gt;a&amp;amp;b&lt;/b&gt; _x_ *y* [z](q) \\`c` "ü😀.pdf'
ANSWER = {"ok": True, "access_token": "t", "user_id": "@u:h", "home_server": "h", "room_id": "!r:h"}


# Apprise runs in a process of its own, whose warnings are no errors.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("url", "address", "text", "shown", "more"),
    [
        ("tgram://123456789:abcdefg_hijklmnop/-1001234/", "/sendMessage", "text", HTML, {"parse_mode": "HTML"}),
        ("ntfy://127.0.0.1:1/topic", "http://127.0.0.1:1", "message", NAME, {"topic": "topic", "title": TITLE}),
        ("matrix://u:p@127.0.0.1:1/#room", "/send/m.room.message/", "body", NAME, {"msgtype": "m.text"}),
    ],
    ids=["Telegram", "ntfy", "Matrix"],
)
def test_a_notice_arrives_whole_and_as_it_was_meant(
    monkeypatch: pytest.MonkeyPatch, url: str, address: str, text: str, shown: str, more: dict[str, Any]
) -> None:
    sent: list[dict[str, Any]] = []

    def answer(asked: str, data: Any = None, **_: Any) -> requests.Response:
        if address in asked:
            sent.append(json.loads(data))
        response = requests.Response()
        response.status_code, response._content = 200, json.dumps(ANSWER).encode()
        return response

    for method in ("get", "post", "put"):
        monkeypatch.setattr(requests, method, answer)
    monkeypatch.setattr(URLBase, "throttle", lambda *_, **__: None)
    lines = [f"Shared: {number} {NAME}{'x' * 200} (5 bytes)" for number in range(20)]
    assert _sent(Guard(()), url, TITLE, "\n".join(lines)) is None
    assert all(message.items() >= more.items() for message in sent)
    assert "tgram" not in url or all(len(message[text]) <= TELEGRAM_LIMIT for message in sent)
    # A text is parted between words.
    found = " ".join(message[text] for message in sent).split()
    expected = "\n".join(lines).replace(NAME, shown).split()
    assert found[-len(expected) :] == expected
    assert TITLE in json.dumps(sent[0])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("count", "ending"), [(20, "… and 19 more"), (1, "…")])
def test_a_notice_becomes_few_short_messages(monkeypatch: pytest.MonkeyPatch, count: int, ending: str) -> None:
    """A notice that takes too long to send is sent again, and some services want money for each message."""
    sent: list[str] = []

    def answer(_: str, data: Any = None, **__: Any) -> requests.Response:
        sent.append(json.loads(data)["content"])
        response = requests.Response()
        response.status_code, response._content = 200, b"{}"
        return response

    monkeypatch.setattr(requests, "post", answer)
    monkeypatch.setattr(URLBase, "throttle", lambda *_, **__: None)
    lines = [f"Shared: {number} {'x' * (200 if count > 1 else 600)}" for number in range(count)]
    assert _sent(Guard(()), "httpsms://key@15551231234/15551231235", "Waystation", "\n".join(lines)) is None
    # The title has one, and words are not parted.
    assert 1 < len(sent) <= 5
    assert "Shared: 0" in " ".join(sent)
    assert sent[-1].endswith(ending)
