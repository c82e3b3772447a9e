"""The moments in a file's life at which another slice does something too.

Content knows no mirrors. Where the beginning or the end of a file concerns them, content calls a hook: inside the same
transaction, so that either both happen or neither, or after the commit. `build` passes the hooks of the mirrors slice.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from common.db import Connection
from upload_service.content.model import Blob, File, UploadSession


class Hooks(Protocol):
    """Implemented by the mirrors slice."""

    async def file_begun(self, connection: Connection, session: UploadSession, file_id: UUID) -> None:
        """A session's file was inserted, in this transaction; its content is still to be verified."""
        ...

    async def file_ready(self, connection: Connection, file: File) -> None:
        """The file got its blob, in this transaction."""
        ...

    async def after_ready(self, session: UploadSession) -> None:
        """The transaction in which this session's file became ready is committed. Does not raise `Unavailable`."""
        ...

    async def files_released(self, connection: Connection, blob_ids: Sequence[UUID]) -> Sequence[UUID]:
        """Files that named these blobs were deleted, in this transaction, which holds the blobs' rows.

        Returns ids that are given to `after_released`.
        """
        ...

    async def after_released(self, ids: Sequence[UUID]) -> None:
        """The transaction of `files_released` is committed; `ids` is what it returned."""
        ...

    async def fallback_path(self, connection: Connection, blob: Blob) -> str | None:
        """The path at which the gateway finds the blob when the store fails; None when no other place has it."""
        ...
