"""The digests of files, which the upload service knows."""

from collections.abc import Iterable

from common.errors import Unavailable
from share_service.administration.model import Listed
from share_service.context import Context
from share_service.dialects.filecodebox.admin.rows import Digests


async def digests_of(context: Context, shares: Iterable[Listed]) -> Digests:
    """The digests of the files of these shares. None while the upload service does not answer: the lists go on."""
    file_ids = sorted({one.share.file_id.hex for one in shares if one.share.file_id})
    if not file_ids:
        return {}
    try:
        answer = await context.upload.call("POST", "/internal/files/digests", {"file_ids": file_ids})
    except Unavailable:
        return {}
    return answer["digests"]


async def files_of_digest(context: Context, digest: str) -> list[str]:
    """The files whose SHA-256 this is, as many as fit on a page. Raises `Unavailable`."""
    return (await context.upload.call("POST", "/internal/files/of-digest", {"sha256": digest}))["file_ids"]
