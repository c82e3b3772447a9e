"""Webhooks, and the events that they are told of."""

import base64
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from common.errors import Conflict

EventType = Literal[
    "share.made",
    "share.complete",
    "share.fetched",
    "share.ended",
    "drop.filled",
    "file.arrived",
    "mirror.failed",
    "disk.low",
]
"""made: it exists, perhaps before its content. complete: none of its items is awaited any more. fetched: a use was
taken. filled: what somebody sent to a drop-off is complete. arrived: by any protocol, and verified. The last two
concern the place.
"""
Kind = Literal["webhook", "notice"]
"""webhook: its URL is called. notice: Apprise sends a text to its URL."""
EVERYBODY = UUID(int=0)
"""In place of an account: the owner of webhooks that hear of everybody's shares."""
PING = "ping"
"""The event by which an owner tries a webhook."""

WEBHOOKS_EACH = 10
"""The number of webhooks, and that of notices, that an account, or the place, may have."""
URL_LENGTH = 2048
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)
"""The pauses of a webhook after failures in a row."""
KEPT = timedelta(days=1)
"""An event that could not be told for this long is dropped."""
MOST_WAITING = 10_000
"""The most events that wait for one webhook. Older ones are dropped."""
FAILED_AFTER = timedelta(days=1)
"""A webhook that has only failed for this long is disabled."""
CALL_SECONDS = 10.0
"""The time that a call may take."""
TURN_SECONDS = 5.0
"""The time after which a turn ends with the call under way, so that others have theirs."""
TURN = timedelta(seconds=60)
"""A process that takes up a webhook has it alone for this long; if it dies, another goes on afterwards."""


class TooManyWebhooks(Conflict):
    """There are as many webhooks, or notices, as are allowed."""

    code = "too_many_webhooks"


class EventsWaiting(Conflict):
    """There are events already that the webhook is still to be told of."""

    code = "events_waiting"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as it is stored."""

    id: UUID
    owner: UUID
    """The account whose shares it hears of, or `EVERYBODY`."""
    url: str
    events: list[str]
    is_enabled: bool
    created_at: datetime
    due_at: datetime
    """The time from which its next event may be sent, or until which a process has it alone."""
    failures: int
    """Failures in a row."""
    called_at: datetime | None
    error: str | None
    """The failure of the last call."""
    failing_since: datetime | None = None
    """The first of the failures in a row."""
    dropped: int = 0
    """Events that it was never told of, because too many were waiting."""
    kind: Kind = "webhook"
    sealed: bytes | None = None
    """The URL of a notice, encrypted. Its `url` is the name of the service."""
    vouched_by: UUID | None = None
    """Of one for everybody's shares: the administrator who added or last changed it."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event that a webhook is still to be told of."""

    id: int
    type: str
    at: datetime
    data: dict[str, Any]
    origin: UUID | None = None
    """The id that another service gave it."""

    def body(self) -> bytes:
        """The body of the call, in JSON."""
        told = {"type": self.type, "timestamp": self.at.isoformat(), "data": self.data}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


class Secrets:
    """The secrets of webhooks, which are derived from their ids and never stored."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def of(self, webhook_id: UUID) -> str:
        """The secret as receivers know it: `whsec_` and 32 bytes in Base64."""
        return "whsec_" + base64.b64encode(self._key(webhook_id)).decode()

    def headers(self, webhook_id: UUID, event: Event, body: bytes, now: datetime) -> dict[str, str]:
        """The headers that sign a call (Standard Webhooks 1.0)."""
        name, moment = f"evt_{event.origin.hex if event.origin else event.id}", str(int(now.timestamp()))
        signature = hmac.digest(self._key(webhook_id), f"{name}.{moment}.".encode() + body, "sha256")
        return {
            "Content-Type": "application/json",
            "Webhook-Id": name,
            "Webhook-Timestamp": moment,
            "Webhook-Signature": f"v1,{base64.b64encode(signature).decode()}",
        }

    def _key(self, webhook_id: UUID) -> bytes:
        return hmac.digest(self._secret, b"webhook\0" + webhook_id.bytes, "sha256")
