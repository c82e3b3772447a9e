"""The end of an upload, which becomes a file with a share. The headers of the last answer say where it is.

tus has no answer for that. tusd leaves it to hooks, which add headers to the answer to the last PATCH. That is where
clients look: `onSuccess` of tus-js-client and of Uppy gets the last answer. It can be lost, so HEAD says the same. The
IETF's draft recommends just that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request

from common import clock
from common.errors import InvalidInput
from common.expiry import Expiry, usual_style
from common.http.public_url import base_url
from common.passwords import normalised
from common.policy import Policy
from upload_service.content import completing, files
from upload_service.content.completing import DigestMismatch
from upload_service.content.model import UNVERIFIED, SessionState, UploadSession
from upload_service.content.sharing import share_upload
from upload_service.context import Context
from upload_service.dialects.growing.item_uploads import finish_item
from upload_service.shares import Shared, ShareKind

PATHS: dict[ShareKind, str] = {"code": "/share/select/?code=", "link": "/f/", "page": "/m/"}
UNSHARED = "none"


async def share_intent(
    context: Context, metadata: Mapping[str, str], policy: Policy, owner: UUID | None
) -> dict[str, str | int | None]:
    """How the metadata of an upload says that its file is to be shared. Raises `InvalidInput` and what the policy does.

    `share`: code, link, page, or none for accounts; `expire_style` and `expire_value`, as in the policy; `password`.
    """
    kind = metadata.get("share", "code")
    if kind not in (*PATHS, UNSHARED) or (kind == UNSHARED and owner is None):
        raise InvalidInput("share is code, link or page, or none for an account's file")
    style = metadata.get("expire_style", usual_style(policy.expire_styles))
    text = metadata.get("expire_value", "1")
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise InvalidInput("expire_value is a number")
    policy.expiry_of(style, int(text), clock.now())
    hashed = None
    if password := metadata.get("password"):
        normalised(password)
        hashed = await context.passwords.hash(password)
    return {"share": kind, "expire_style": style, "expire_value": int(text), "password_hash": hashed}


@dataclass(frozen=True, slots=True)
class Finished:
    """A file that an upload became."""

    file_id: UUID
    shared: Shared | None = None
    url: str | None = None
    """The address of the share."""

    @property
    def headers(self) -> dict[str, str]:
        said = {"Waystation-File": str(self.file_id)}
        if self.shared and self.url:
            said["Waystation-Code"] = self.shared.code
            said["Waystation-Url"] = self.url
            said["Waystation-Delete-Key"] = self.shared.delete_key
        return said

    def to_json(self) -> dict[str, str]:
        said = {"file": str(self.file_id)}
        if self.shared and self.url:
            said |= {"code": self.shared.code, "url": self.url, "delete_key": self.shared.delete_key}
        return said


async def finish(context: Context, request: Request, session: UploadSession, *, waits: bool = False) -> Finished:
    """Make the stored content a file, and share it. Asked again, the same.

    If its sender said which digest it has, or `waits`, this waits for the verification for a while. Raises
    `DigestMismatch`, `ItemUnwanted`.
    """
    if session.state is SessionState.OPEN:
        session = await completing.complete_upload(context, session.id)
    if (session.claims or waits) and session.state in UNVERIFIED:
        session = await completing.wait_verified(context, session, context.complete_wait)
    if session.state is SessionState.CORRUPT:
        raise DigestMismatch
    assert session.file_id is not None, "a complete session has a file"
    if session.item_id is not None:
        await finish_item(context, session)
        return Finished(session.file_id)
    intent = session.intent
    kind = intent.get("share", UNSHARED)
    if kind not in PATHS:
        return Finished(session.file_id)
    policy = await context.shares.policy()
    expiry: Expiry = policy.expiry_of(intent["expire_style"], intent["expire_value"], clock.now())
    shared = await share_upload(context, session, expiry, kind, password_hash=intent.get("password_hash"))
    url = f"{base_url(request, context.public_url)}{PATHS[kind]}{shared.code}"
    return Finished(session.file_id, shared, url)


async def digest_of(context: Context, finished: Finished) -> bytes | None:
    """The SHA-256 of the file, if it is verified already."""
    return (await files.find_file(context, finished.file_id)).sha256
