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

    def check_may_upload(self) -> None:
        """Raise `GuestsRefused` for a guest where guests may not upload."""
        if self.identity is None and not self.policy.open_upload:
            raise GuestsRefused


async def sender_of(context: Context, request: Request) -> Sender:
    """The sender. Raises `CredentialError` for credentials that are not accepted."""
    policy = await context.shares.policy()
    return Sender(await callers.optional(request, None, None), policy)


async def admit(context: Context, request: Request) -> Sender:
    """The sender, if it may upload. Raises `GuestsRefused`, and what `sender_of` raises."""
    sender = await sender_of(context, request)
    sender.check_may_upload()
    return sender
