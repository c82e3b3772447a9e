"""The senders of uploads, for the dialects that answer guests and accounts alike."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import Request

from common.errors import Forbidden
from common.http import callers
from common.identity import Identity
from common.policy import Policy
from upload_service.context import Context


class GuestsRefused(Forbidden):
    """Uploading needs an account here."""

    code = "guests_refused"


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of a request, and the policy that it has to keep to."""

    identity: Identity | None
    policy: Policy

    @property
    def owner(self) -> UUID | None:
        return self.identity.account_id if self.identity else None


async def admit(context: Context, request: Request) -> Sender:
    """The sender. Raises `GuestsRefused`, and `CredentialError` for credentials that are not accepted."""
    policy = await context.shares.policy()
    identity = await callers.optional(request, None, None)
    if identity is None and not policy.open_upload:
        raise GuestsRefused
    return Sender(identity, policy)
