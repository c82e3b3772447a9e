"""Items as one archive: what it has, and the right with which the gateway fetches its bytes from the upload service.

The bytes are made there while they are sent (docs/adr/0038-archives-made-while-they-are-sent.md). Here it is decided
what they are: the archive follows from the items, so its length and its entity tag are known without asking anybody.
"""

import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from common import clock
from common.archive import Archive, Member
from common.downloads import StoredAt
from common.errors import NotFound, NotReady
from common.names import clean_name
from share_service.context import Context
from share_service.items.model import Item
from share_service.items.queries.held import items_of_share
from share_service.shares.model import Share, ShareEnded, UnknownCode
from share_service.shares.queries.made import share_of_id

TICKET_VALID = timedelta(minutes=15)
"""As long as the store's own signatures. A download that has begun goes on after that."""
PATH = "/archive"
"""Stands for the path of an archive in the store, which has none."""


class NoArchive(NotFound):
    """This share has one content, which is fetched by itself."""

    code = "no_archive"


class TicketInvalid(NotFound):
    """This is not the ticket of this archive, or it has expired."""

    code = "ticket_invalid"


@dataclass(frozen=True, slots=True)
class ArchivedItems:
    """The items that an archive has, and the archive."""

    items: Sequence[Item]
    archive: Archive

    @staticmethod
    def of(share: Share, items: Sequence[Item]) -> "ArchivedItems":
        """All items that have arrived; those that have failed are left out.

        Raises `NotReady` while any is awaited, and `UnknownCode` if there is none.
        """
        if any(item.is_open for item in items):
            raise NotReady("not everything has arrived yet")
        ready = [item for item in items if item.state == "ready"]
        if not ready:
            raise UnknownCode
        members = [Member(item.name, item.size, item.sha256 or b"") for item in ready]
        return ArchivedItems(ready, Archive(members, share.created_at))

    def as_content(self, share: Share) -> Share:
        """The share as if the archive were a file that is all that it has."""
        name = share.name.replace("/", "-").replace("\\", "-")
        return replace(share, content_kind="file", name=clean_name(f"{name}.zip"), size=self.archive.size)

    def stored_at(self, context: Context, share: Share) -> StoredAt:
        """The place from which the gateway gets the archive: the upload service, with a new ticket."""
        ticket = new_ticket(context, share.id)
        place = f"/internal/archives/{share.id}/{self.archive.tag.hex()}?ticket={ticket}"
        return StoredAt(PATH, place, is_made=True)


async def items_of_ticket(context: Context, share_id: UUID, ticket: str) -> tuple[Share, Sequence[Item]]:
    """The share that a ticket is for, and the items that its archive has.

    Raises `TicketInvalid`, `ShareEnded`, and what `ArchivedItems.of` raises.
    """
    check_ticket(context, share_id, ticket)
    async with context.db.connection() as connection:
        share = await share_of_id(connection, share_id)
        items = await items_of_share(connection, share_id)
    if share is None or not share.is_resumable(clock.now()):
        raise ShareEnded(share.ended_for if share else None)
    return share, ArchivedItems.of(share, items).items


def new_ticket(context: Context, share_id: UUID) -> str:
    until = int(time.time() + TICKET_VALID.total_seconds())
    return f"{until}.{_tag(context, share_id, str(until))}"


def check_ticket(context: Context, share_id: UUID, ticket: str) -> None:
    """Raise `TicketInvalid` unless the ticket was made for this share and is still valid."""
    until, _, tag = ticket.partition(".")
    is_ours = hmac.compare_digest(tag.encode(errors="surrogatepass"), _tag(context, share_id, until).encode())
    if not is_ours or int(until) < time.time():
        raise TicketInvalid


def _tag(context: Context, share_id: UUID, until: str) -> str:
    signed = b"archive\0" + share_id.bytes + until.encode(errors="surrogatepass")
    return hmac.digest(context.key_secret.encode(), signed, "sha256").hex()
