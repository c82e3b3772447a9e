"""A download, from the code to the place in the object store: what every dialect does between its wire and its answer.

The upload service is asked before a use is taken: a file that is not ready yet, or no longer there, costs nothing. No
database connection is held while it answers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from common.downloads import NOWHERE, StoredAt
from common.errors import Gone, NotFound, NotReady
from share_service import operations
from share_service.context import AppState
from share_service.downloads.passwords import Proof
from share_service.shares.model import BadKey, Form, Share, UnknownCode

Method = Literal["GET", "HEAD"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for what of a share."""

    form: Form
    code: str
    proof: Proof
    holder: bytes
    may_start: bool
    """Whether the holder may start a download; if not, only resume one."""
    method: Method
    is_new: Callable[[int], bool]
    """Whether this asks for the first byte of so many; if not, it may be the resume of what has been paid for."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A share that may be downloaded as asked; `due` when that takes a use."""

    share: Share
    due: bool


@dataclass(frozen=True, slots=True)
class Download:
    """A share that is being downloaded: a text, or a file of which the object store has the bytes."""

    share: Share
    stored_at: StoredAt = NOWHERE
    sha256: bytes = b""


async def admit(state: AppState, asked: Asked, now: datetime) -> Admitted:
    """Say whether this may be downloaded, and whether it takes a use. Takes nothing yet.

    Due is a use for every GET but a resume under a lease. Raises `UnknownCode`, `ShareEnded`, and `BadKey` when the
    holder may not start a download.
    """
    async with state.database.connection() as connection:
        admission = await operations.admit(connection, asked.code, asked.holder, now, asked.form)
    resumes = admission.leased and (asked.method == "HEAD" or not asked.is_new(admission.share.size))
    if not (asked.may_start or resumes):
        raise BadKey
    return Admitted(admission.share, due=asked.method == "GET" and not resumes)


async def start_download(state: AppState, asked: Asked, admitted: Admitted, now: datetime) -> Download:
    """Check the password, take the use that is due, and say where the content is.

    Raises `UnknownCode` when the file has vanished, `ShareEnded` when somebody else took the last use meanwhile,
    `NotReady` while the file is being verified, and what `SharePasswords.check` raises.
    """
    share = admitted.share
    await state.passwords.check(share.id, share.password_hash, asked.proof)
    if share.kind == "text":
        return Download(await _redeem_text(state, share, now) if admitted.due else share)
    try:
        answer = await _ask_upload(state, share, asked.method)
    except (NotFound, Gone):
        raise UnknownCode from None
    if share.password_hash is None:
        await state.passwords.check(share.id, _file_password(answer), asked.proof)
    if admitted.due:
        async with state.database.transaction() as connection:
            share = await operations.redeem_file(connection, share.id, asked.holder, now)
    return Download(share, StoredAt.of(answer), bytes.fromhex(str(answer["sha256"])))


async def password_of(state: AppState, share: Share) -> str | None:
    """The hash of the password that a share asks for: its own, else its file's, where there is one.

    A file that is still being verified is taken to have none. Raises `UnknownCode` when the file has vanished, and
    `Unavailable`.
    """
    if share.password_hash is not None or share.kind == "text":
        return share.password_hash
    try:
        return _file_password(await _ask_upload(state, share, "HEAD"))
    except NotReady:
        return None
    except (NotFound, Gone):
        raise UnknownCode from None


async def _ask_upload(state: AppState, share: Share, method: Method) -> dict[str, Any]:
    return await state.upload.call("POST", f"/internal/files/{share.file_id}/download", {"method": method})


def _file_password(answer: dict[str, Any]) -> str | None:
    hashed = answer.get("password_hash")
    return str(hashed) if hashed is not None else None


async def _redeem_text(state: AppState, share: Share, now: datetime) -> Share:
    async with state.database.transaction() as connection:
        return await operations.redeem_text(connection, share.id, now)
