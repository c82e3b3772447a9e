"""MirrorAce: what its ways of uploading have in common, and what each works with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request, Response

from common import clock
from common.dialects import mirrorace as dialect
from common.dialects.mirrorace import Refused
from common.expiry import Expiry
from common.http.forms import Field
from common.http.public_url import base_url
from common.identities import Identities
from common.identity import Identity
from common.ids import parse_id
from common.passwords import Passwords, normalised
from upload_service.content import upload_keys
from upload_service.content.model import UploadKey, UploadSession
from upload_service.content.sharing import share_upload
from upload_service.context import Context
from upload_service.mirrors.choices import usable_mirrors
from upload_service.shares import Shares

REQUIRED = ("api_key", "api_token", "cTracker", "upload_key")

NO_END = Expiry(None, None)


@dataclass(frozen=True, slots=True)
class MirrorAce:
    """What the dialect's routes work with. Sizes in bytes."""

    context: Context
    shares: Shares
    passwords: Passwords
    max_chunk_size: int
    max_file_size: int
    max_mirrors: int
    public_url: str
    fetch_lifetime: timedelta
    """How long a fetch may take."""
    fetches_open: int
    """How many fetches an account may have that are not done."""

    @property
    def chunk_limit(self) -> int:
        """What a chunk may really have: the service's own example sends a byte more than it is told."""
        return self.max_chunk_size + 1


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who uploads with which key, and what else every request of an upload says."""

    identity: Identity
    key: UploadKey
    mirrors: tuple[int, ...]
    password: str
    """Empty: none."""
    lacks_mirrors: bool
    """Whether none is asked for although the account was told some to ask for."""

    def check_begins(self) -> None:
        """Raise `Refused` unless the request may begin something."""
        if self.key.expires_at <= clock.now():
            raise Refused("The upload_key has expired")
        if self.lacks_mirrors:
            raise Refused("mirrors[] is missing")


async def identify(request: Request, fields: Sequence[Field]) -> Identity:
    """Whose credentials these are. Raises `Refused`, `Unavailable`."""
    identities: Identities = request.app.state.identities
    return await dialect.identify(identities, fields)


async def admit(served: MirrorAce, request: Request, fields: Sequence[Field]) -> Admitted:
    """What the fields say. Raises `Refused`, `UploadKeyUnknown`, `PasswordUnusable`, `Unavailable`."""
    for name in REQUIRED:
        dialect.required(fields, name)
    identity = await identify(request, fields)
    tracker, secret = dialect.value_of(fields, "cTracker"), dialect.value_of(fields, "upload_key")
    key = await upload_keys.find_key(served.context, identity, parse_id(tracker), secret)
    asked = dialect.mirror_ids(fields)
    if len(asked) > served.max_mirrors:
        raise Refused(f"At most {served.max_mirrors} mirrors can be selected")
    usable = await usable_mirrors(served.context, identity)
    ids = {mirror.id for mirror in usable}
    mirrors = tuple(mirror_id for mirror_id in asked if mirror_id in ids)
    lacks_mirrors = not asked and any(mirror.is_default for mirror in usable)
    password = dialect.value_of(fields, "file_password")
    if password:
        # It is hashed only when the file is complete, which is too late to refuse it.
        normalised(password)
    return Admitted(identity, key, mirrors, password, lacks_mirrors)


async def password_hash(served: MirrorAce, admitted: Admitted) -> str | None:
    """What is kept of the file's password, if there is one. Raises `HasherBusy`."""
    return await served.passwords.hash(admitted.password) if admitted.password else None


async def share(served: MirrorAce, request: Request, session: UploadSession, hashed: str | None) -> Response:
    """Give the file its page, and tell of it; asked again, it is the same page."""
    shared = await share_upload(served.context, session, NO_END, "page", password_hash=hashed)
    return complete(served, request, session.file_name, session.size or 0, shared.code)


def complete(served: MirrorAce, request: Request, name: str, size: int, slug: str) -> Response:
    """The answer when a file has its page. `size` in bytes."""
    url = f"{base_url(request, served.public_url)}/m/{slug}"
    return _answer(name, size, slug=slug, url=url, info="complete")


def pending(name: str, size: int) -> Response:
    """The answer to every other chunk. `size`: the whole file's."""
    return _answer(name, size, info="continue")


def _answer(name: str, size: int, **more: str) -> Response:
    return dialect.success({"name": name, "size": str(size), **more})
