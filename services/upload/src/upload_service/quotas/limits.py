"""The limits that the policy sets."""

from uuid import UUID

from upload_service.content.model import Quota
from upload_service.shares import Shares


class PolicyLimits:
    """Tells the limits for the files of an account (None: of guests). Raises `Unavailable` without a policy."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares

    async def __call__(self, owner: UUID | None) -> Quota:
        policy = await self._shares.policy()
        if owner is None:
            return Quota(policy.guest_bytes, policy.guest_files, policy.place_bytes, policy.place_files)
        return Quota(policy.account_bytes, policy.account_files, policy.place_bytes, policy.place_files)
