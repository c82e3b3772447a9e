"""Forgetting entries of the audit logs of all services that are older than the policy keeps them."""

from datetime import datetime, timedelta

from common import clock, logging
from common.audit_log import delete_entries
from share_service.context import Context

BATCH = 1000


async def forget_old(context: Context) -> None:
    """Delete all of them, in batches. Safe to run twice at once. Raises `Unavailable`; a later run does the rest."""
    before = clock.now() - timedelta(days=(await context.policy.current()).audit_days)
    deleted = 0
    while some := await _forget(context, before):
        deleted += some
    if deleted:
        logging.get(__name__).info("old entries of the audit log were deleted", number=deleted)


async def _forget(context: Context, before: datetime) -> int:
    async with context.db.transaction() as connection:
        deleted = await delete_entries(connection, before, BATCH)
    for peer in (context.auth, context.upload, context.chat):
        answer = await peer.call("POST", "/internal/audit/forget", {"before": before.isoformat()})
        deleted += int(answer["deleted"])
    return deleted
