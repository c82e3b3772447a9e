"""The settings of the upload service and of its workers."""

from pathlib import Path

from pydantic import Field, SecretStr

from common.addresses import Network, parse_networks
from common.settings import (
    DatabaseSettings,
    GatewaySettings,
    Networks,
    PublicUrlSettings,
    QueueSettings,
    ServiceIdentitySettings,
    Settings,
    StoreSettings,
    ValkeySettings,
)


class ContentSettings(Settings):
    """Uploads and the content of files."""

    session_lifetime_seconds: int = Field(default=24 * 3600, ge=1)
    """Seconds after which an unfinished upload is removed if nothing was sent to it."""
    complete_wait_seconds: int = Field(default=20, ge=0)
    """Seconds that completing an upload waits for the verification before it answers without the result."""
    unclaimed_lifetime_seconds: int = Field(default=24 * 3600, ge=60)
    """Seconds after which a file without any share is removed."""
    garbage_grace_seconds: int = Field(default=3600, ge=0)
    """Seconds for which content that no file refers to is kept."""


class FileCodeBoxSettings(Settings):
    """FileCodeBox's administration."""

    filecodebox_folder: str = ""
    """Folder of this machine or container whose files administrators may share, and delete, on FileCodeBox's pages. If
    empty, there is none."""


class FileUploaderSettings(Settings):
    """Uploads by File Uploader's interface."""

    file_uploader_uploads_per_minute: int = Field(default=2, ge=1)
    """Uploads allowed per client address and minute."""
    file_uploader_size: int = Field(default=100 * 1024 * 1024, ge=1)
    """The largest file, in bytes."""


class MirrorAceSettings(Settings):
    """Uploads by MirrorAce's interface."""

    mirrorace_max_chunk_size: int = Field(default=99_999_995, ge=1)
    """The largest chunk, in bytes, and the largest file that is sent in one request."""
    mirrorace_max_file_size: int = Field(default=10 * 1024**3, ge=1)
    """The largest file, in bytes."""
    mirrorace_max_mirrors: int = Field(default=100, ge=1)
    """Mirrors that one file may be sent to."""


class MirrorSettings(Settings):
    """Copies on mirrors, and the worker that transfers them."""

    mirror_key: SecretStr = Field(min_length=16)
    """The key with which the options of mirrors, passwords among them, are encrypted in the database."""
    mirror_folders: str = ""
    """Folders, separated by commas, under which mirrors may be folders of this machine or container. If empty, mirrors
    cannot be folders."""
    replica_recheck_seconds: int = Field(default=7 * 24 * 3600, ge=1)
    """Seconds after which a verified copy is read back and compared again."""
    transfers_at_once: int = Field(default=8, ge=1)
    """Copies to mirrors and fetches that one worker runs at a time."""


class FetchSettings(Settings):
    """Files fetched from URLs."""

    fetch_allowed_networks: Networks = ""
    """Private networks (CIDR, separated by commas) that fetched URLs may lead to, beside public addresses."""
    fetch_seconds: int = Field(default=6 * 3600, ge=1)
    """Seconds that one fetch may take."""
    fetch_stall_seconds: int = Field(default=30, ge=1)
    """Seconds that the other side of a fetch may stay silent."""
    fetches_at_once: int = Field(default=4, ge=1)
    """Fetches that run at a time."""
    fetches_at_once_each: int = Field(default=2, ge=1)
    """Fetches of one account that run at a time."""
    fetches_open: int = Field(default=50, ge=1)
    """Unfinished fetches that one account may have."""


class UploadSettings(
    ContentSettings,
    FileCodeBoxSettings,
    FileUploaderSettings,
    MirrorAceSettings,
    MirrorSettings,
    FetchSettings,
    DatabaseSettings,
    ValkeySettings,
    QueueSettings,
    StoreSettings,
    ServiceIdentitySettings,
    GatewaySettings,
    PublicUrlSettings,
):
    """The settings of the service and of its workers."""

    share_url: str
    """URL of the share service."""
    chat_url: str
    """URL of the chat service."""

    @property
    def allowed_networks(self) -> tuple[Network, ...]:
        return parse_networks(self.fetch_allowed_networks)

    @property
    def folders(self) -> tuple[Path, ...]:
        return tuple(Path(item.strip()) for item in self.mirror_folders.split(",") if item.strip())
