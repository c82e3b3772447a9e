"""Direct messages, and the errors about them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from common.errors import Conflict, NotFound, RateLimited


class RecipientNotFound(NotFound):
    """There is no such recipient."""

    code = "recipient_not_found"


class InboxMessageNotFound(NotFound):
    """There is no such message."""

    code = "message_not_found"


class TooManyUnanswered(RateLimited):
    """You have written to many people who never wrote to you; write to more of them later."""

    code = "too_many_unanswered"


class TooManySent(Conflict):
    """You have sent as many messages as are kept; delete some first."""

    code = "too_many_sent"


REPEATABLE = timedelta(minutes=10)
"""The time in which a send with the same idempotency key is the same message."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was sent with an idempotency key."""

    digest: bytes
    message_id: int
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A direct message."""

    id: int
    sender: UUID
    recipient: UUID
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ForeignMessage:
    """A direct message of the other system, between accounts that are here."""

    origin: bytes
    """A digest of what identifies it there: the same message is imported once."""
    sender: UUID
    recipient: UUID
    body: str
    created_at: datetime
