"""The way that a sender at a terminal wants a file to be shared: by headers, or by fields of a form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request

from common.errors import InvalidInput
from common.expiry import COUNT, FOREVER, Expiry, usual_style
from common.passwords import normalised
from common.policy import Policy

NEVER = "never"
UNITS = {"m": "minute", "h": "hour", "d": "day"}
HEADERS = {"expire_after": "Expire-After", "max_downloads": "Max-Downloads", "password": "X-Share-Password"}
"""The header that stands for each field of a form."""
MAX_DAYS = "max-days"
"""The header for the life of a file that transfer.sh's clients send."""

_DURATION = re.compile(r"([0-9]{1,9})([mhd])", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wishes:
    """The wishes of the sender, as they were sent; None: nothing was said about it."""

    expire_after: str | None = None
    max_downloads: str | None = None
    password: str | None = None

    def expiry(self, policy: Policy, now: datetime) -> Expiry:
        """The end of the share. Raises `InvalidInput`, and what the policy raises."""
        uses = None if self.max_downloads is None else _count(self.max_downloads)
        if uses is None:
            style, value = (usual_style(policy.expire_styles), 1) if self.expire_after is None else self._duration()
            return policy.expiry_of(style, value, now)
        counted = policy.expiry_of(COUNT, uses, now)
        if self.expire_after is None:
            return counted
        return Expiry(policy.expiry_of(*self._duration(), now).at, counted.uses)

    def check_password(self) -> None:
        """Raise `PasswordUnusable` for a password that cannot be one."""
        if self.password is not None:
            normalised(self.password)

    def _duration(self) -> tuple[str, int]:
        """The style and value of an expiry after a time."""
        text = (self.expire_after or "").strip().lower()
        if text == NEVER:
            return FOREVER, 1
        match = _DURATION.fullmatch(text)
        if match is None:
            raise InvalidInput(f"the time to expire after is a number with m, h or d, such as 12h, or {NEVER}")
        return UNITS[match[2]], int(match[1])


def of_headers(request: Request) -> Wishes:
    """The wishes in the headers of a request. Raises `InvalidInput`."""
    after, days = request.headers.get(HEADERS["expire_after"]), request.headers.get(MAX_DAYS)
    if after is not None and days is not None:
        raise InvalidInput("Expire-After and Max-Days say the same thing")
    password = request.headers.get(HEADERS["password"])
    return Wishes(
        expire_after=after if days is None else f"{days.strip()}d",
        max_downloads=request.headers.get(HEADERS["max_downloads"]),
        password=None if password is None else _utf8(password),
    )


def with_fields(wishes: Wishes, fields: Mapping[str, str]) -> Wishes:
    """The wishes, with those in the fields of a form in place of the same ones in headers."""
    return Wishes(
        expire_after=fields.get("expire_after", wishes.expire_after),
        max_downloads=fields.get("max_downloads", wishes.max_downloads),
        password=fields.get("password", wishes.password),
    )


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text.strip()):
        raise InvalidInput("the number of downloads is a number")
    return int(text)


def _utf8(header: str) -> str:
    """The text of a header, which Starlette decodes as Latin-1."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise InvalidInput("a password is UTF-8") from None
