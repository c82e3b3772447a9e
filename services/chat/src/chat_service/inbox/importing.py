"""Taking direct messages over from another system."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chat_service.context import Context
from chat_service.inbox import queries
from chat_service.inbox.model import ForeignMessage
from common import clock
from common.audit import OPERATOR, Act
from common.audit_log import record
from common.errors import DomainError


@dataclass(frozen=True, slots=True)
class ImportedMessages:
    """The outcome for some messages."""

    new: int
    refused: Sequence[tuple[ForeignMessage, str]]
    """Those that cannot be kept here, and why."""


async def import_messages(
    context: Context, foreign: Sequence[ForeignMessage], *, source: str, write: bool
) -> ImportedMessages:
    """Add those of these messages that were not imported before, in their order; without `write`, only count them.

    They keep their times, and come after the messages that are here already. The number of messages that are kept of
    one sender does not limit them; whoever has more can send the next one after deleting some.
    """
    accepted: list[ForeignMessage] = []
    refused: list[tuple[ForeignMessage, str]] = []
    for message in foreign:
        try:
            body = context.texts.accept(message.body, context.bounds.inbox_message_bytes)
            accepted.append(replace(message, body=body))
        except DomainError as error:
            refused.append((message, error.message))
    async with context.db.connection() as connection, connection.transaction(force_rollback=not write):
        new = await queries.insert_imported(connection, accepted, clock.now())
        if new:
            values = {"from": source, "messages": new}
            await record(connection, OPERATOR, [Act("inbox.import", "inbox", new=values)])
    return ImportedMessages(new, refused)
