"""Fetches: states, value types, and the validator by which content is recognised."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from common.expiry import Expiry
from upload_service.shares import ShareKind

OTHER_CONTENT = (412, 416)
"""Answers to a request for the rest of content that is not the same any longer."""
# A tag may hold more (section 8.8.3), but not every client may send all of that in a header.
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]*"')


class FetchState(StrEnum):
    QUEUED = "queued"
    FETCHING = "fetching"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"


OPEN = (FetchState.QUEUED, FetchState.FETCHING)


@dataclass(frozen=True, slots=True)
class ShareTerms:
    """The terms on which the fetched file is shared."""

    kind: ShareKind = "link"
    expires_at: datetime | None = None
    uses: int | None = None
    password_hash: str | None = None

    @property
    def expiry(self) -> Expiry:
        return Expiry(self.expires_at, self.uses)

    def to_json(self) -> dict[str, Any]:
        return {
            "form": self.kind,
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
    """The stable code of the last failure; None: nothing has failed."""
    detail: str | None
    failures: int
    """Attempts in a row after which no more was stored than `most_stored`."""
    most_stored: int
    ends_at: datetime
    created_at: datetime

    def __post_init__(self) -> None:
        # A row holds the state as text.
        object.__setattr__(self, "state", FetchState(self.state))

    @property
    def share_terms(self) -> ShareTerms:
        return ShareTerms.from_json(self.terms)


def validator_of(etag: str | None, modified: str | None, date: str | None) -> str | None:
    """The validator for `If-Range` (RFC 9110, section 13.1.5): a strong entity tag, or else the date of modification.

    The date counts only without any tag, and only if it was at least a second old when the answer was made (section
    8.8.2.2): until then the content could change without a new date.
    """
    if etag:
        return etag if _STRONG_TAG.fullmatch(etag) else None
    try:
        age = parsedate_to_datetime(date or "") - parsedate_to_datetime(modified or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return modified if modified and modified.isprintable() and age >= timedelta(seconds=1) else None
