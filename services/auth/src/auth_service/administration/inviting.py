"""Invitations to register, which administrators make and take back."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from auth_service.accounts.administrators import require_acting
from auth_service.context import Context
from auth_service.links import queries
from auth_service.links.model import (
    INVITATIONS_AT_MOST,
    Invitation,
    InvitationNotFound,
    TooManyInvitations,
    new_token,
)
from common import clock
from common.audit import Act, Author
from common.audit_log import record
from common.credentials import digest
from common.identity import Role
from common.ids import new_id
from common.pages import Cursor


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation to be made. `token`: the secret of its link."""

    invitation: Invitation
    token: str


async def invite(context: Context, author: Author, role: Role, note: str, lifetime: timedelta) -> NewInvitation:
    """Make an invitation. Its token can never be read again. Raises `Forbidden`, `TooManyInvitations`."""
    author.require_administrator()
    now, token = clock.now(), new_token()
    made = Invitation(new_id(), role, note, author.identity.account_id, now, now + lifetime, None, None)
    async with context.db.transaction() as connection:
        await require_acting(connection, author)
        if not await queries.insert_invitation(connection, made, digest(token), INVITATIONS_AT_MOST):
            raise TooManyInvitations
        new = {"role": role, "note": note, "expires_at": made.expires_at.isoformat()}
        await record(connection, author, [Act("invitation.create", "invitation", str(made.id), new=new)])
    return NewInvitation(made, token)


async def list_invitations(
    context: Context, author: Author, after: Cursor | None, limit: int
) -> tuple[list[Invitation], Cursor | None]:
    """A page of invitations, the newest first, and the cursor of the next page if there is one. Raises `Forbidden`."""
    author.require_administrator()
    async with context.db.connection() as connection:
        found = await queries.list_invitations(connection, after, limit + 1)
    page = found[:limit]
    return page, Cursor(page[-1].created_at, page[-1].id) if len(found) > limit else None


async def revoke_invitation(context: Context, author: Author, invitation_id: UUID) -> None:
    """Take an invitation back that was not used. Raises `Forbidden`, `InvitationNotFound`."""
    author.require_administrator()
    async with context.db.transaction() as connection:
        await require_acting(connection, author)
        deleted = await queries.delete_invitation(connection, invitation_id)
        if deleted is None:
            raise InvitationNotFound
        old = {"role": deleted.role, "note": deleted.note, "expires_at": deleted.expires_at.isoformat()}
        await record(connection, author, [Act("invitation.delete", "invitation", str(invitation_id), old=old)])
