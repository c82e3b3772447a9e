"""Keys that an account is issued before it uploads: they say which parts belong together, and who may send them."""

import hmac
import secrets
from datetime import timedelta
from uuid import UUID

from common.credentials import digest
from common.errors import NotFound
from common.identity import Identity
from common.ids import new_id
from upload_service.content.context import Context
from upload_service.content.model import UploadKey
from upload_service.content.queries import upload_keys

LIFETIME = timedelta(hours=1)


class UploadKeyUnknown(NotFound):
    """This upload key was not issued, or not to this account's credential, or not for this upload."""

    code = "upload_key_unknown"


async def issue_key(context: Context, identity: Identity) -> tuple[UploadKey, str]:
    """A new key for the credential that `identity` is known by: its row, and the secret, 32 hex digits."""
    secret = secrets.token_hex(16)
    async with context.db.connection() as connection:
        key = await upload_keys.insert_key(
            connection,
            key_id=new_id(),
            digest=digest(secret),
            account=identity.account_id,
            credential=identity.credential_id,
            lifetime=LIFETIME,
        )
    return key, secret


async def find_key(context: Context, identity: Identity, key_id: UUID | None, secret: str) -> UploadKey:
    """The key, if its secret, its account and its credential are as issued. Raises `UploadKeyUnknown`."""
    async with context.db.connection() as connection:
        key = await upload_keys.get_key(connection, key_id) if key_id else None
    if key is None or not hmac.compare_digest(key.digest, digest(secret)):
        raise UploadKeyUnknown
    if (key.account, key.credential) != (identity.account_id, identity.credential_id):
        raise UploadKeyUnknown
    return key


async def last_session(context: Context, key: UploadKey) -> UUID | None:
    """The session that the last part went to, as it is now recorded."""
    async with context.db.connection() as connection:
        found = await upload_keys.get_key(connection, key.id)
    return found.session_id if found else None


async def note_session(context: Context, key: UploadKey, session_id: UUID) -> None:
    """Remember which session the last part went to."""
    if key.session_id == session_id:
        return
    async with context.db.connection() as connection:
        await upload_keys.set_session(connection, key.id, session_id)
