"""Fetches: states, value types, and how content is recognised."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from common.expiry import Expiry
from upload_service.shares import ShareKind

# Answers to the wish for the rest of what is not the same any more.
OTHER_CONTENT = (412, 416)
# Without what other clients' headers may not carry, although a tag may (section 8.8.3).
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]*"')
# Answers that may be different the next time, besides all of the server's own errors (5xx).
TEMPORARY = (408, *OTHER_CONTENT, 425, 429)


class FetchState(StrEnum):
    QUEUED = "queued"
    FETCHING = "fetching"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"


OPEN = (FetchState.QUEUED, FetchState.FETCHING)


@dataclass(frozen=True, slots=True)
class ShareTerms:
    """How what was fetched is shared."""

    form: ShareKind = "link"
    expires_at: datetime | None = None
    uses: int | None = None
    password_hash: str | None = None

    @property
    def expiry(self) -> Expiry:
        return Expiry(self.expires_at, self.uses)

    def to_json(self) -> dict[str, Any]:
        return {
            "form": self.form,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
            "uses": self.uses,
            "password_hash": self.password_hash,
        }

    @staticmethod
    def from_json(values: dict[str, Any]) -> "ShareTerms":
        ends = values["expires_at"]
        return ShareTerms(
            values["form"], datetime.fromisoformat(ends) if ends else None, values["uses"], values["password_hash"]
        )


@dataclass(frozen=True, slots=True)
class Fetch:
    """A row of `fetch_job`."""

    id: UUID
    owner: UUID
    url: str
    file_name: str | None
    sha256: bytes | None
    mirrors: list[int] | None
    terms: dict[str, Any]
    max_size: int
    state: FetchState
    size: int | None
    validator: str | None
    bytes_done: int
    session_id: UUID | None
    file_id: UUID | None
    share_code: str | None
    error: str | None
    """A stable code; None: nothing has failed."""
    detail: str | None
    ends_at: datetime
    created_at: datetime

    def __post_init__(self) -> None:
        # Rows carry text.
        object.__setattr__(self, "state", FetchState(self.state))

    @property
    def share_terms(self) -> ShareTerms:
        return ShareTerms.from_json(self.terms)


def validator_of(etag: str | None, modified: str | None, date: str | None) -> str | None:
    """What `If-Range` may name the content by (RFC 9110, section 13.1.5): a strong entity tag, or else its time.

    The time counts only where there is no tag at all, and only when it was over for a second as the answer was made
    (section 8.8.2.2): until then the content could change without it.
    """
    if etag:
        return etag if _STRONG_TAG.fullmatch(etag) else None
    try:
        age = parsedate_to_datetime(date or "") - parsedate_to_datetime(modified or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return modified if modified and modified.isprintable() and age >= timedelta(seconds=1) else None
