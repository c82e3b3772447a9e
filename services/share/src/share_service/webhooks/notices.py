"""Sending notices: one text for all events of a turn, by a process that knows Apprise (`notice_process`)."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from common.errors import DomainError, Forbidden, InvalidInput, Unavailable
from common.outbound.client import AddressRefused
from common.sealing import Broken, Seal
from share_service.context import Context
from share_service.webhooks.model import EVERYBODY, PING, URL_LENGTH, Event, Webhook

MODULE = "share_service.webhooks.notice_process"
SECONDS = 30.0
"""The longest that a process may take."""
NAME_LENGTH = 200
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_PASSED = ("PATH", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
_SERVICE = re.compile(r"([a-z0-9]{1,20})://[^\s\x00-\x1f\x7f\ud800-\udfff]+", re.IGNORECASE)
REFUSED_SERVICES = frozenset(
    (
        *("apprise", "apprises", "rsyslog", "syslog"),
        *("blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "windows"),
    )
)
"""They would reach this machine, or another Apprise that has rules of its own."""


class NoticeUrlInvalid(InvalidInput):
    """This is not the URL of a service that notices can be sent to."""

    code = "notice_url_invalid"


class NoticeRefused(Forbidden):
    """The URL of this notice would read a file or run a program here."""

    code = "notice_refused"


class NoticeFailed(Unavailable):
    """The service did not take the notice."""

    code = "notice_failed"


class NoticeSealed(DomainError):
    """The URL of this notice was encrypted with another key; give it again."""

    code = "notice_sealed"


_ERRORS: dict[str, type[DomainError]] = {
    "not_understood": NoticeUrlInvalid,
    "address_refused": AddressRefused,
    "refused": NoticeRefused,
}
LASTING = (NoticeUrlInvalid, NoticeRefused, NoticeSealed)
"""Failures that the same URL will always have."""


def service_of(url: str) -> str:
    """The name of the service in a URL of Apprise. Raises `NoticeUrlInvalid`."""
    found = _SERVICE.fullmatch(url)
    if found is None or len(url) > URL_LENGTH or found[1].lower() in REFUSED_SERVICES:
        raise NoticeUrlInvalid
    return found[1].lower()


def seal_of(context: Context) -> Seal:
    """The seal of the URLs of notices."""
    return Seal(context.key_secret.encode(), "URLs of notices")


async def send(context: Context, notice: Webhook, events: Sequence[Event]) -> DomainError | None:
    """Send one text about these events; the error if that failed."""
    assert notice.sealed is not None
    try:
        url = seal_of(context).open(notice.sealed).decode()
    except Broken:
        return NoticeSealed()
    title, body = text_of(events)
    networks = context.networks_of_place if notice.owner == EVERYBODY else ""
    outcome = await _run(json.dumps({"url": url, "title": title, "body": body, "networks": networks}).encode())
    return None if outcome is None else _ERRORS.get(outcome, NoticeFailed)()


async def _run(asked: bytes) -> str | None:
    """Have a process of its own send what was asked; the name of the outcome, None for success."""
    # It gets none of this process's environment, which holds secrets.
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-B", "-s", "-P", "-m", MODULE),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**environment, "HOME": "/nonexistent", "LANG": "C.UTF-8"},
            cwd="/",
        )
    except OSError:
        # Such as too many processes, or too little memory for another one.
        return "failed"
    try:
        async with asyncio.timeout(SECONDS):
            answer, _ = await process.communicate(asked)
        told = json.loads(answer)
        return None if told["error"] is None else str(told["error"])
    except (TimeoutError, ValueError, KeyError, TypeError):
        # Too slow, killed for its memory, or dead.
        return "failed"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def text_of(events: Sequence[Event]) -> tuple[str, str]:
    """The title and the text of one notice about these events."""
    lines = [_line(event) for event in events]
    title = "Waystation" if len(lines) == 1 else f"Waystation: {len(lines)} events"
    return title, "\n".join(lines)


def _line(event: Event) -> str:
    data = event.data
    name, left = _plain(data.get("name")), data.get("downloads_left")
    size = _size(data["size"]) if isinstance(data.get("size"), int) else ""
    match event.type:
        case "share.made":
            return f"Shared: {name} ({size})"
        case "share.complete":
            return f"Complete: {name} ({size})"
        case "share.fetched":
            return f"Fetched: {name}" + ("" if left is None else f", {left} more allowed")
        case "share.ended":
            return f"No longer shared: {name}"
        case "drop.filled":
            return f"Sent to your drop-off: {name} ({size})"
        case "file.arrived":
            return f"A file has arrived: {name} ({size})"
        case "mirror.failed":
            return f"The mirror {name} fails" + (f": {_plain(data['error'])}" if data.get("error") else "")
        case "disk.low":
            return f"The disk is nearly full: {_size(int(data['free']))} free"
        case _:
            return "Notices from Waystation arrive here." if event.type == PING else event.type


def _plain(name: Any) -> str:
    """A name in one line. Strangers choose it."""
    text = "".join(character if character.isprintable() else " " for character in str(name or "a text"))
    return text if len(text) <= NAME_LENGTH else text[: NAME_LENGTH - 1] + "…"


def _size(count: int) -> str:
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{count} {_UNITS[0]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"
