"""The upload service's settings."""

from pydantic import Field

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
