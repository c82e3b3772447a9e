"""The shapes of the native calls of administrators. Sizes in bytes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from common.outbound.urls import without_credentials
from upload_service.administration.model import BATCH_LIMIT, Health, ListedFile, health_of
from upload_service.content.model import FileState
from upload_service.fetches.model import Fetch, FetchState
from upload_service.mirrors.administration import MirrorSummary


class AdministeredFile(BaseModel):
    """A file. `owner` null: it belongs to nobody; `sha256` in hex, null until the content is verified."""

    id: UUID
    name: str
    owner: UUID | None
    size: int
    state: FileState
    sha256: str | None
    created_at: datetime
    expires_at: datetime | None
    has_password: bool
    replicas: dict[str, int]
    """The numbers of its copies on mirrors, by their states."""

    @staticmethod
    def of(listed: ListedFile) -> "AdministeredFile":
        file = listed.file
        return AdministeredFile(
            id=file.id,
            name=file.name,
            owner=file.owner,
            size=file.size,
            state=FileState(file.state),
            sha256=file.sha256.hex() if file.sha256 else None,
            created_at=file.created_at,
            expires_at=file.expires_at,
            has_password=file.password_hash is not None,
            replicas=dict(listed.replicas),
        )


class AdministeredFiles(BaseModel):
    """Files. `next`: the value of `after` for those that follow; null at the end."""

    files: list[AdministeredFile]
    next: str | None
    total: int | None
    """The number of all; only on the first page."""


class FileEdit(BaseModel):
    """The new name."""

    model_config = ConfigDict(extra="forbid")

    # PostgreSQL cannot store NUL in a text.
    name: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]


class FileBatch(BaseModel):
    """An act on many files."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[UUID], Field(min_length=1, max_length=BATCH_LIMIT)]
    act: Literal["delete"]


class FileBatchAnswer(BaseModel):
    """The files that are gone now, and those that were not there."""

    done: list[UUID]
    missing: list[UUID]


class AdministeredFetch(BaseModel):
    """A fetch. `url` without user, password and query, which may be secrets of its owner."""

    id: UUID
    owner: UUID
    url: str
    file_name: str | None
    state: FetchState
    size: int | None
    bytes_done: int
    error: str | None
    detail: str | None
    failures: int
    created_at: datetime
    ends_at: datetime

    @staticmethod
    def of(fetch: Fetch) -> "AdministeredFetch":
        return AdministeredFetch(
            id=fetch.id,
            owner=fetch.owner,
            url=without_credentials(fetch.url).partition("#")[0].partition("?")[0],
            file_name=fetch.file_name,
            state=FetchState(fetch.state),
            size=fetch.size,
            bytes_done=fetch.bytes_done,
            error=fetch.error,
            detail=fetch.detail,
            failures=fetch.failures,
            created_at=fetch.created_at,
            ends_at=fetch.ends_at,
        )


class AdministeredFetches(BaseModel):
    """Fetches, the newest first. `next`: the value of `after` for those that follow; null at the end."""

    fetches: list[AdministeredFetch]
    next: str | None
    total: int | None
    """The number of all; only on the first page."""


class AdministeredMirror(BaseModel):
    """A mirror, with its health and the numbers of its copies by their states."""

    id: int
    name: str
    kind: str
    accounts: list[UUID] | None
    """The accounts that may use it; null: every account."""
    is_default: bool
    is_enabled: bool
    created_at: datetime
    health: Health
    last_error: str | None
    """Of the last probe; null: it did not fail."""
    probed_at: datetime | None
    failures: int
    """The number of failures in a row."""
    open_until: datetime | None
    """Until then nothing is tried, because of these failures."""
    replicas: dict[str, int]

    @staticmethod
    def of(summary: MirrorSummary, now: datetime) -> "AdministeredMirror":
        mirror = summary.mirror
        return AdministeredMirror(
            id=mirror.id,
            name=mirror.name,
            kind=mirror.kind,
            accounts=mirror.accounts,
            is_default=mirror.is_default,
            is_enabled=mirror.is_enabled,
            created_at=mirror.created_at,
            health=health_of(mirror, now),
            last_error=mirror.probe_error,
            probed_at=mirror.probed_at,
            failures=mirror.failures,
            open_until=mirror.open_until,
            replicas=summary.replicas,
        )


class AdministeredMirrors(BaseModel):
    """Every mirror, the oldest first."""

    mirrors: list[AdministeredMirror]


class MirrorCheck(BaseModel):
    """The result of a check. `error` null: a small object was written, read back and deleted again."""

    error: str | None
    step: str | None = None
    """The step that failed."""
    message: str | None = None
