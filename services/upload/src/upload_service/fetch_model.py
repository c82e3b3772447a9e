"""Fetches: states, value types, and how to call what was fetched."""

from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from common.dialects.filecodebox import Expiry
from common.http.downloads import shortened
from upload_service.shares import Form

UNNAMED = "download"
# Answers to the wish for the rest of what is not the same any more.
OTHER_CONTENT = (412, 416)
# Answers that may be different the next time.
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

    form: Form = "link"
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


def name_of(url: str, disposition: str | None) -> str:
    """How to call what an answer carries: as its `Content-Disposition` says (RFC 6266), or as the URL's path ends."""
    said = _said(disposition) if disposition else ""
    return _cleaned(said) or _cleaned(unquote(urlsplit(url).path)) or UNNAMED


def _said(disposition: str) -> str:
    message = Message()
    try:
        message["Content-Disposition"] = disposition
        return message.get_filename() or ""
    except (ValueError, LookupError):
        return ""


def _cleaned(name: str) -> str:
    """The last step of a path, printable and not too long; empty when nothing is left."""
    last = name.replace("\\", "/").rpartition("/")[2]
    printable = "".join(character for character in last if character.isprintable()).strip()
    return "" if not printable.strip(".") else shortened(printable)


def validator_of(etag: str | None, modified: str | None) -> str | None:
    """What `If-Range` can name the content by (RFC 9110, section 13.1.5): a strong entity tag, or else its time."""
    if etag and etag.startswith('"'):
        return etag
    return modified
