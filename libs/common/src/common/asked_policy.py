"""The policy, as services other than share know it: by asking."""

import time

from common.errors import Unavailable
from common.peers import Peer
from common.policy import Policy

# A policy is used for this long before it is asked for again, and for this long while share does not answer.
FRESH_SECONDS = 2
STALE_SECONDS = 600


class AskedPolicy:
    """Asks the share service."""

    def __init__(self, share: Peer) -> None:
        self._share = share
        self._policy: Policy | None = None
        self._read_at = self._asked_at = float("-inf")

    async def current(self) -> Policy:
        """The administrator's policy, a few seconds old at most while the share service answers.

        Raises `Unavailable` if it has not answered for too long.
        """
        now = time.monotonic()
        age = now - self._read_at
        if self._policy is None or age > STALE_SECONDS or now - self._asked_at > FRESH_SECONDS:
            # Meanwhile others go on with the last one known, also if this takes long.
            self._asked_at = now
            try:
                self._policy = Policy.model_validate(await self._share.call("GET", "/internal/policy"))
                self._read_at = time.monotonic()
            except Unavailable:
                if self._policy is None or age > STALE_SECONDS:
                    raise
        return self._policy
