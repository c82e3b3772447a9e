"""The tokens that this service sends to the others. It signs them itself."""

from auth_service.signing.keys import usable_keys
from auth_service.signing.tokens import sign_service_token
from common import clock
from common.db import Database


class OwnTokens:
    """Signs a token for each call."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def forget(self) -> None:
        """Nothing is kept."""

    async def token(self) -> str:
        now = clock.now()
        async with self._db.transaction() as connection:
            keys = await usable_keys(connection, now)
        return sign_service_token(keys, "auth", now).token
