"""An account, as every slice sees it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from common.identity import Identity, Role

VISIT_PAUSE = timedelta(hours=1)
"""How exactly it is recorded when an account was last used."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it is stored."""

    id: UUID
    name: str
    email: str | None
    password_hash: str
    role: Role
    profile: dict[str, Any]
    created_at: datetime
    suspended_at: datetime | None = None
    """Since when none of its credentials is accepted; None: they are."""
    suspended_for: str | None = None
    """The reason that an administrator gave."""
    last_seen_at: datetime | None = None
    """To the hour; None: not since this is recorded."""

    @property
    def is_suspended(self) -> bool:
        return self.suspended_at is not None

    def is_visit_due(self, now: datetime) -> bool:
        """Whether its use is to be recorded again."""
        return self.last_seen_at is None or self.last_seen_at < now - VISIT_PAUSE

    @property
    def may_administer(self) -> bool:
        """Whether it is one of those of whom there is always one."""
        return self.role is Role.ADMINISTRATOR and not self.is_suspended

    @property
    def avatar_url(self) -> str | None:
        """The address of the owner's picture, as the owner gave it; None when there is none."""
        return self.profile.get("avatar_url") or None

    def identity(self, credential_id: UUID, expires_at: datetime | None) -> Identity:
        """The account as every service sees it, proven by this credential."""
        return Identity(self.id, self.name, self.role, credential_id, expires_at)
