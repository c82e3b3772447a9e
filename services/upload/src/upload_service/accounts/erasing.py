"""The end of an account: everything it has here goes."""

from uuid import UUID

from upload_service.content.queries import files, sessions, upload_keys
from upload_service.fetches import queries as fetches
from upload_service.fetches.context import Context
from upload_service.mirrors.queries import mirrors, wanted
from upload_service.quotas import queries as quotas


async def erase_account(context: Context, account_id: UUID) -> None:
    """End all files, uploads and fetches of an account, and forget its mirrors. The sweeps remove what was stored.

    Asked again, it does the same to what has come since.
    """
    async with context.db.transaction() as connection:
        await files.end_files_of(connection, account_id)
        # A fetch begins its session in one transaction: one that still did so comes first, and its session is seen.
        await fetches.delete_fetches_of(connection, account_id)
        await sessions.abort_sessions_of(connection, account_id)
        await upload_keys.delete_keys_of(connection, account_id)
        await wanted.delete_choice(connection, account_id)
        await mirrors.forget_account(connection, account_id)
        await quotas.delete_limits(connection, account_id)
