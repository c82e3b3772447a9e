"""Sharing what was uploaded."""

from common.expiry import Expiry
from upload_service.content.context import Context
from upload_service.content.model import UploadSession
from upload_service.shares import NewShare, Shared, ShareKind


async def share_upload(
    context: Context,
    session: UploadSession,
    expiry: Expiry,
    kind: ShareKind = "code",
    extension: str = "",
    *,
    password_hash: str | None = None,
) -> Shared:
    """Share the file that a session became, for its owner. The same session always gets the same share.

    `extension`: the ending of a link; `password_hash`: of the share's own password, in PHC string format.
    """
    assert session.file_id is not None, "only a completed session has a file to share"
    return await context.shares.create(
        NewShare(
            origin=session.id,
            file_id=session.file_id,
            name=session.file_name,
            size=session.size,
            owner=session.owner,
            expiry=expiry,
            kind=kind,
            extension=extension,
            password_hash=password_hash,
        )
    )
