"""The policy: the limits that the administrator sets, and the rules that they make for every protocol."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from mimetypes import MimeTypes
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from common.addresses import limit_key
from common.errors import DomainError, Forbidden, InvalidInput, RateLimited, TooLarge
from common.expiry import Expiry, expiry_of, longest_life
from common.limits import Budget, Limiter, counted_success

# A table of its own, because the default one depends on the files of the machine.
_TYPES = MimeTypes()
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)


PIECES = 16
"""The most pieces of an upload, on average, that an address may send side by side within its budget of uploads."""


class SizeRefused(TooLarge):
    """The file is larger than the administrator allows."""

    code = "size_refused"

    def __init__(self, limit: int) -> None:
        super().__init__(f"a file may have at most {limit} bytes")
        self.limit = limit


class TypeRefused(Forbidden):
    """Files of this type are not allowed."""

    code = "type_refused"


class UploadsExhausted(RateLimited):
    """Too many uploads from this address."""


# PostgreSQL cannot store NUL in a text.
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Text = Annotated[str, Field(max_length=10_000, pattern=r"^[^\x00]*$")]
Rule = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Size = Annotated[int, Field(ge=1, le=2**63 - 1)]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Origin = Annotated[
    str,
    Field(max_length=300, pattern=r"^(\*|https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?)$"),
]
Minutes = Annotated[int, Field(ge=1, le=366 * 24 * 60)]


UNLIMITED = "unlimited"
"""The word for no limit in JSON, where null gives a field the environment's value again."""


def _quota(most: int) -> Any:
    """A limit, or None for none; in JSON it is `UNLIMITED`."""
    schema = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": most}, {"type": "string", "const": UNLIMITED}]}
    return (
        BeforeValidator(lambda value: None if value == UNLIMITED else value),
        PlainSerializer(lambda value: UNLIMITED if value is None else value, when_used="json"),
        WithJsonSchema(schema),
    )


Bytes = Annotated[Size | None, *_quota(2**63 - 1)]
Files = Annotated[Count | None, *_quota(2**31 - 1)]


class Policy(BaseModel):
    """The limits that the administrator sets. Sizes are in bytes, times in seconds unless their name says otherwise."""

    model_config = {"frozen": True}

    name: Line
    description: Text
    explain: Text
    notify_title: Line
    notify_content: Text
    notices: Annotated[list[Text], Field(max_length=20)] = []
    """Texts that the page shows to everybody."""
    accent: Colour = "#0b6e69"
    """The colour of the page's buttons and links."""
    keywords: Line = ""
    """Words by which search engines are to find the place."""
    robots: Text = "User-agent: *\nDisallow: /\n"
    """The text at `/robots.txt`."""
    opacity: Annotated[float, Field(ge=0, le=1)] = 0.9
    """The opacity of FileCodeBox's page."""
    background: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    """The address of a picture behind FileCodeBox's page."""
    show_admin_address: bool = False
    """Whether FileCodeBox's page shows where administrators sign in."""
    upload_size: Size
    allowed_file_types: Annotated[list[Rule], Field(max_length=1000)]
    """Rules of `check_type`; none allows everything."""
    expire_styles: Annotated[list[Literal["day", "hour", "minute", "forever", "count"]], Field(min_length=1)]
    account_bytes: Bytes = None
    """The most bytes of all files of an account together, unless it has limits of its own."""
    account_files: Files = None
    """The most files of an account."""
    guest_bytes: Bytes = None
    """The most bytes of all files of all guests together."""
    guest_files: Files = None
    place_bytes: Bytes = None
    """The most bytes of all files together."""
    place_files: Files = None
    enable_chunk: bool
    open_upload: bool
    """Whether files may be uploaded without an account."""
    registration: bool = True
    """Whether everybody may register an account."""
    max_save_seconds: Annotated[int, Field(ge=0, le=2**31 - 1)]
    """The longest life of a share; 0 means seven days."""
    upload_count: Count
    """Uploads of one client address in `upload_minute` minutes."""
    upload_minute: Minutes
    error_count: Count
    """Wrong codes of one client address in `error_minute` minutes."""
    error_minute: Minutes
    login_count: Count = 5
    """Wrong passwords of one client address at FileCodeBox's login of administrators, in `login_minute` minutes."""
    login_minute: Minutes = 15
    admin_session_days: Annotated[int, Field(ge=1, le=365)] = 5
    """The life of a session that began at that login."""
    audit_days: Annotated[int, Field(ge=1, le=3660)] = 365
    """Days for which entries of the audit log are kept."""
    numeric_codes: bool
    """Whether codes consist of digits alone, instead of letters and digits."""
    code_length: Annotated[int, Field(ge=5, le=16)] = 5
    """The number of characters of the codes that are made."""
    chosen_code_length: Annotated[int, Field(ge=3, le=16)] = 4
    """The least characters of a code that a sender chooses."""
    room_lifetime_max_seconds: Count | None = None
    """The longest lifetime of messages that a room's owner may choose; null, here and below: the environment's."""
    room_capacity_max: Count | None = None
    """The largest number of messages that a room's owner may choose to keep."""
    room_members: Count | None = None
    """Members allowed in one room."""
    public_rooms: Annotated[int, Field(ge=0, le=2**31 - 2)] | None = None
    """Public rooms that may exist at once."""
    public_rooms_per_account: Count | None = None
    rooms_per_account: Count | None = None
    """Rooms that one account may own at once."""
    trusted_origins: Annotated[list[Origin], Field(max_length=100)] = ["*"]
    """The origins whose pages may call this place, such as `https://example.org`; `*` stands for all."""

    def expiry_of(self, style: str, value: int, now: datetime) -> Expiry:
        """Like `common.expiry.expiry_of`, within the limits of this policy."""
        return expiry_of(style, value, allowed=self.expire_styles, max_seconds=self.max_save_seconds, now=now)

    @property
    def longest_life(self) -> timedelta:
        """The longest life of a share that expires after a time."""
        return longest_life(self.max_save_seconds)

    def check_consistent(self) -> None:
        """Raise `InvalidInput`, which names a field, if values contradict each other."""
        if not any(self._can_expire(style) for style in self.expire_styles):
            raise InvalidInput("max_save_seconds: no share can live so short with these expire_styles")
        for name in ("bytes", "files"):
            most = getattr(self, f"place_{name}")
            for part in (f"account_{name}", f"guest_{name}"):
                if most is not None and (getattr(self, part) or 0) > most:
                    raise InvalidInput(f"place_{name}: it is less than {part}")
        if (self.public_rooms_per_account or 0) > (self.rooms_per_account or 2**31):
            raise InvalidInput("rooms_per_account: it is less than public_rooms_per_account")

    def _can_expire(self, style: str) -> bool:
        """Whether a share can expire in this way."""
        try:
            self.expiry_of(style, 1, _SOME_DAY)
        except DomainError:
            return False
        return True

    def check_size(self, size: int) -> None:
        """Raise `SizeRefused` if a file of `size` bytes is over the limit."""
        if size > self.upload_size:
            raise SizeRefused(self.upload_size)

    def check_type(self, name: str) -> None:
        """Raise `TypeRefused` unless one of the rules allows a file of this name, or there are none.

        A rule is `*`, an extension such as `zip`, `.zip` or `tar.gz`, or a media type such as `image/png` or `image/*`,
        which is compared with the one that the extension stands for.
        """
        rules = [rule.strip().lower() for rule in self.allowed_file_types]
        if rules and not any(_allows(rule, name.lower()) for rule in rules):
            raise TypeRefused


def _allows(rule: str, name: str) -> bool:
    if rule in ("*", "*/*"):
        return True
    if "/" in rule:
        return fnmatchcase(_TYPES.guess_type(name)[0] or "", rule)
    return name.endswith(f".{rule.lstrip('.')}")


@asynccontextmanager
async def counted_upload(limiter: Limiter, policy: Policy, address: str) -> AsyncGenerator[None]:
    """Count the upload in the block against the budget of the client's address; a failed upload does not count.

    A used-up budget is available again one window after the last counted upload. Raises `UploadsExhausted`.
    """
    async with counted_success(_uploads(limiter, policy), limit_key(address)):
        yield


@asynccontextmanager
async def counted_piece(limiter: Limiter, policy: Policy, address: str, *, of_upload: bool) -> AsyncGenerator[None]:
    """Count a piece of something that is sent in several pieces side by side. An address has as many as whole uploads
    of `PIECES` need.

    `of_upload`: the whole will be counted as an upload, so it is refused from the beginning if there is no room for
    it. Raises `UploadsExhausted`.
    """
    uploads, key = _uploads(limiter, policy), limit_key(address)
    if of_upload and await uploads.used(key) >= uploads.count:
        raise UploadsExhausted(retry_after=uploads.period)
    pieces = limiter.budget("piece", uploads.count * PIECES, uploads.period, UploadsExhausted, restarts=True)
    async with counted_success(pieces, key):
        yield


def _uploads(limiter: Limiter, policy: Policy) -> Budget:
    period = timedelta(minutes=policy.upload_minute)
    return limiter.budget("upload", policy.upload_count, period, UploadsExhausted, restarts=True)
