"""The shapes of the native calls of administrators. Moments are in RFC 3339 form."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from auth_service.administration.model import Detail
from auth_service.directory.model import Account
from auth_service.links.model import LONGEST_DAYS, NOTE_LENGTH, Invitation, State
from common import clock
from common.identity import Role

# PostgreSQL cannot store NUL in a text.
Note = Annotated[str, Field(max_length=NOTE_LENGTH, pattern=r"^[^\x00]*$")]


class AdministeredAccount(BaseModel):
    """An account."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    email: str | None
    role: Role
    suspended_at: datetime | None
    """null: it is not suspended."""
    suspended_for: str | None
    """The reason for the suspension."""
    created_at: datetime
    last_seen_at: datetime | None
    """To the hour; null: not since this is recorded."""


class AccountDetail(AdministeredAccount):
    """An account with the numbers of its sessions and API keys."""

    sessions: int
    keys: int

    @staticmethod
    def of_detail(detail: Detail) -> "AccountDetail":
        account = AdministeredAccount.model_validate(detail.account)
        return AccountDetail(**account.model_dump(), sessions=detail.sessions, keys=detail.keys)


class AccountsPage(BaseModel):
    """Accounts. `next`: the value of `after` for those that follow; null at the end."""

    accounts: list[AdministeredAccount]
    next: str | None
    total: int | None
    """The number of all; only on the first page."""

    @staticmethod
    def of(accounts: list[Account], following: str | None, total: int | None) -> "AccountsPage":
        shown = [AdministeredAccount.model_validate(account) for account in accounts]
        return AccountsPage(accounts=shown, next=following, total=total)


class AccountEdit(BaseModel):
    """New values; absent ones stay. A `reason` is kept with a suspension."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "administrator"] | None = None
    suspended: bool | None = None
    reason: Note | None = None


class LinkAnswer(BaseModel):
    """A link that is shown only this once. Its secret stands after `#`, which no browser sends to a server."""

    url: str
    expires_at: datetime


class PasswordReset(BaseModel):
    """The token of a link, which stands after `#`, and the new password: of 8 characters to 1024 bytes."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(max_length=100)]
    password: str


class AccountInvitationRequest(BaseModel):
    """An invitation that is open for so many days."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "administrator"] = "user"
    note: Note = ""
    """A text for administrators."""
    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)] = 7


class AccountInvitation(BaseModel):
    """An invitation."""

    id: UUID
    role: Role
    note: str
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    used_by: UUID | None
    """The account that was registered by it."""
    used_at: datetime | None
    state: State

    @staticmethod
    def of(invitation: Invitation) -> "AccountInvitation":
        return AccountInvitation(**asdict(invitation), state=invitation.state(clock.now()))


class IssuedInvitation(AccountInvitation):
    """An invitation with its link, which is shown only this once."""

    url: str

    @staticmethod
    def with_url(invitation: Invitation, url: str) -> "IssuedInvitation":
        return IssuedInvitation(**AccountInvitation.of(invitation).model_dump(), url=url)


class AccountInvitations(BaseModel):
    """Invitations, the newest first. `next`: the value of `after` for those that follow; null at the end."""

    invitations: list[AccountInvitation]
    next: str | None
