"""Links that are used once. Each holds a random token, of which only the digest is stored."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from common.errors import Conflict, Forbidden, NotFound
from common.identity import Role

NOTE_LENGTH = 500
LONGEST_DAYS = 90
INVITATIONS_AT_MOST = 1000
"""Invitations that are open at the same time."""
REMEMBERED = timedelta(days=30)
"""How long an invitation is listed after its time is over."""
RESET_LIFETIME = timedelta(hours=24)

State = Literal["open", "used", "expired"]


class InvitationInvalid(Forbidden):
    """This invitation has been used, has expired, or never existed."""

    code = "invitation_invalid"


class InvitationNotFound(NotFound):
    """There is no such invitation, or it has been used."""

    code = "invitation_not_found"


class TooManyInvitations(Conflict):
    """There are 1000 open invitations at most."""

    code = "too_many_invitations"


class LinkInvalid(NotFound):
    """This link has been used, has expired, or never existed."""

    code = "link_invalid"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation to register one account with this role."""

    id: UUID
    role: Role
    note: str
    """A text for administrators."""
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    used_by: UUID | None
    used_at: datetime | None

    def state(self, now: datetime) -> State:
        if self.used_by:
            return "used"
        return "expired" if self.expires_at <= now else "open"


@dataclass(frozen=True, slots=True)
class Reset:
    """A link by which a new password may be set for an account."""

    id: UUID
    account_id: UUID
    password_digest: bytes
    """That of the hash of the password that it replaces."""


def new_token() -> str:
    """The token of a link: 256 random bits."""
    return secrets.token_urlsafe(32)
