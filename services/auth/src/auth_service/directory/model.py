"""An account, as every slice sees it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common.identity import Identity, Role


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

    @property
    def avatar_url(self) -> str | None:
        """The address of the owner's picture, as the owner gave it; None when there is none."""
        return self.profile.get("avatar_url") or None

    def identity(self, credential_id: UUID, expires_at: datetime | None) -> Identity:
        """The account as every service sees it, proven by this credential."""
        return Identity(self.id, self.name, self.role, credential_id, expires_at)
