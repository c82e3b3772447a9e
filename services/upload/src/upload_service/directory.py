"""The accounts, as the auth service knows them."""

from uuid import UUID

from common.peers import Peer


class Directory:
    """Asks the auth service."""

    def __init__(self, auth: Peer) -> None:
        self._auth = auth

    async def exists(self, account: UUID) -> bool:
        """Whether there is an account with this id. Raises `Unavailable`."""
        answer = await self._auth.call("POST", "/internal/accounts/names", {"ids": [str(account)]})
        return bool(answer["accounts"])
