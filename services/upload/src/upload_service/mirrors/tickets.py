"""Tickets, by which the gateway may read a blob from its replicas when the store fails.

A download's answer brings the gateway a ticket. It names one blob, ends when the store's own signature would, and only
this system can make it.
"""

import time
from datetime import timedelta
from uuid import UUID

from common.errors import Forbidden
from upload_service.mirrors.sealing import Sealer

VALID_FOR = timedelta(minutes=15)


def ticket_for(sealer: Sealer, blob_id: UUID) -> str:
    """A ticket for this blob, valid as long as a signed path."""
    until = int(time.time() + VALID_FOR.total_seconds())
    return f"{until}.{sealer.sign(f'{blob_id.hex}.{until}')}"


def check_ticket(sealer: Sealer, blob_id: UUID, ticket: str) -> None:
    """Raise `Forbidden` unless the ticket was made for this blob and is still valid."""
    until, _, tag = ticket.partition(".")
    if not sealer.is_signed(f"{blob_id.hex}.{until}", tag):
        raise Forbidden("the ticket is not for this")
    if int(until) < time.time():
        raise Forbidden("the ticket has expired")
