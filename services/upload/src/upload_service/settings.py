"""The upload service's settings."""

from pathlib import Path

from pydantic import Field, SecretStr

from common.addresses import Network, parse_networks
from common.settings import (
    DatabaseSettings,
    PublicUrlSettings,
    QueueSettings,
    ServiceIdentitySettings,
    StoreSettings,
    ValkeySettings,
)


class UploadSettings(
    DatabaseSettings, ValkeySettings, QueueSettings, StoreSettings, ServiceIdentitySettings, PublicUrlSettings
):
    """Read from the environment by the names of the fields, in capitals."""

    share_url: str
    chat_url: str
    session_lifetime_seconds: int = Field(default=24 * 3600, ge=1)
    """How long an upload may stand still."""
    complete_wait_seconds: int = Field(default=20, ge=0)
    """How long completing waits for the verification before it answers without it."""
    unclaimed_lifetime_seconds: int = Field(default=24 * 3600, ge=60)
    """After this long a file that no share holds is released."""
    garbage_grace_seconds: int = Field(default=3600, ge=0)
    """How long the object of an unreferenced blob is kept."""
    file_uploader_uploads_per_minute: int = Field(default=2, ge=1)
    """How many uploads of the File Uploader dialect one address may make in a minute."""
    file_uploader_size: int = Field(default=100 * 1024 * 1024, ge=1)
    """How many bytes a file may have that is uploaded by the File Uploader dialect."""
    mirrorace_max_chunk_size: int = Field(default=99_999_995, ge=1)
    """How many bytes a chunk may have in the MirrorAce dialect, or a file that comes without a range."""
    mirrorace_max_file_size: int = Field(default=10 * 1024**3, ge=1)
    """How many bytes a file may have that is uploaded by the MirrorAce dialect."""
    mirrorace_max_mirrors: int = Field(default=100, ge=1)
    """How many mirrors a file may be sent to by the MirrorAce dialect."""
    mirror_key: SecretStr = Field(min_length=16)
    """What the options of mirrors are sealed with."""
    mirror_folders: str = ""
    """Folders, separated by commas, under which mirrors may be folders of this machine; none by default."""
    transfers_at_once: int = Field(default=8, ge=1)
    """How many copies to mirrors and fetches are under way at a time, in one worker."""
    replica_recheck_seconds: int = Field(default=7 * 24 * 3600, ge=1)
    """How long a verified replica is believed before it is read back again."""
    fetch_allowed_networks: str = ""
    """Networks (CIDR, separated by commas) of private addresses that URLs may lead to; none by default."""
    fetch_seconds: int = Field(default=6 * 3600, ge=1)
    """How long a fetch may take."""
    fetch_stall_seconds: int = Field(default=30, ge=1)
    """How long the other side of a fetch may send nothing."""
    fetches_at_once: int = Field(default=4, ge=1)
    """How many fetches are under way at a time."""
    fetches_at_once_each: int = Field(default=2, ge=1)
    """How many of them are one account's."""
    fetches_open: int = Field(default=50, ge=1)
    """How many fetches an account may have that are not done."""

    @property
    def allowed_networks(self) -> tuple[Network, ...]:
        return parse_networks(self.fetch_allowed_networks)

    @property
    def folders(self) -> tuple[Path, ...]:
        return tuple(Path(item.strip()) for item in self.mirror_folders.split(",") if item.strip())
