"""The things that the whole service works with."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from common.limits import Limiter
from common.peers import Peers
from upload_service.archives import context as archives
from upload_service.fetches.context import Queue
from upload_service.rooms import Rooms

__all__ = ["Context", "Queue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(archives.Context):
    """Those of every slice, and the dialects' own. Sizes in bytes."""

    peers: Peers
    rooms: Rooms
    limiter: Limiter
    complete_wait: timedelta
    """How long a request to complete an upload waits for the verification."""
    local_folder: Path | None = None
    """The folder of files that FileCodeBox's administrators may share."""
    file_uploader_uploads_per_minute: int
    """Uploads allowed for each client address."""
    file_uploader_max_size: int
    mirrorace_max_chunk_size: int
    mirrorace_max_file_size: int
    mirrorace_max_mirrors: int
