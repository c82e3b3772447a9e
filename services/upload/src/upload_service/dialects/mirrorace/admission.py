"""MirrorAce: the account, the upload key and the wishes that every request of an upload carries."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from common.dialects import mirrorace as dialect
from common.dialects.mirrorace import Refused
from common.http.forms import Field
from common.identities import Identities
from common.identity import Identity
from common.ids import parse_id
from common.passwords import normalised
from upload_service.content import upload_keys
from upload_service.content.model import UploadKey
from upload_service.context import Context
from upload_service.mirrors.choices import UsableMirror, usable_mirrors

REQUIRED = ("api_key", "api_token", "cTracker", "upload_key")


@dataclass(frozen=True, slots=True)
class Admitted:
    """An upload that may go on: its account and key, and what else its fields say."""

    identity: Identity
    key: UploadKey
    mirrors: tuple[int, ...]
    password: str
    """Empty: the file has none."""
    lacks_mirrors: bool
    """It names no mirrors, although the account was told which to name."""

    def check_may_begin(self) -> None:
        """Raise `Refused` unless the request may begin a new file."""
        if self.key.is_overdue:
            raise Refused("The upload_key has expired")
        if self.lacks_mirrors:
            raise Refused("mirrors[] is missing")


async def account_of(request: Request, fields: Sequence[Field]) -> Identity:
    """The account with these credentials. Raises `Refused`, `Unavailable`."""
    identities: Identities = request.app.state.identities
    return await dialect.identify(identities, fields)


async def admit(context: Context, request: Request, fields: Sequence[Field]) -> Admitted:
    """Admit an upload with these fields. Raises `Refused`, `UploadKeyUnknown`, `PasswordUnusable`, `Unavailable`."""
    for name in REQUIRED:
        dialect.required(fields, name)
    identity = await account_of(request, fields)
    tracker, secret = dialect.value_of(fields, "cTracker"), dialect.value_of(fields, "upload_key")
    key = await upload_keys.find_key(context, identity, parse_id(tracker), secret)
    asked, usable = dialect.mirror_ids(fields), await usable_mirrors(context, identity)
    mirrors = _chosen(context, asked, usable)
    lacks_mirrors = not asked and any(mirror.is_default for mirror in usable)
    password = dialect.value_of(fields, "file_password")
    if password:
        # It is hashed only when the file is complete, which would be too late to refuse it.
        normalised(password)
    return Admitted(identity, key, mirrors, password, lacks_mirrors)


def _chosen(context: Context, asked: Sequence[int], usable: Sequence[UsableMirror]) -> tuple[int, ...]:
    """The mirrors of an upload that names these. Raises `Refused` if there are too many.

    Scripts with the numbers of another system's mirrors built in get the account's default mirrors.
    """
    if len(asked) > context.mirrorace_max_mirrors:
        raise Refused(f"At most {context.mirrorace_max_mirrors} mirrors can be selected")
    ids = {mirror.id for mirror in usable}
    mirrors = tuple(mirror_id for mirror_id in asked if mirror_id in ids)
    if asked and not mirrors:
        return tuple(mirror.id for mirror in usable if mirror.is_default)[: context.mirrorace_max_mirrors]
    return mirrors


async def password_hash(context: Context, admitted: Admitted) -> str | None:
    """The hash of the file's password, if it has one. Raises `HasherBusy`."""
    return await context.passwords.hash(admitted.password) if admitted.password else None
