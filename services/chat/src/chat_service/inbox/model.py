"""Direct messages, and the errors about them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.errors import Conflict, NotFound


class RecipientNotFound(NotFound):
    """There is no such recipient."""

    code = "recipient_not_found"


class InboxMessageNotFound(NotFound):
    """There is no such message."""

    code = "message_not_found"


class TooManySent(Conflict):
    """You have sent as many messages as are kept; delete some first."""

    code = "too_many_sent"


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A direct message."""

    id: int
    sender: UUID
    recipient: UUID
    body: str
    created_at: datetime
