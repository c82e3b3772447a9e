"""The upload service's settings."""

from datetime import timedelta

from common.settings import DatabaseSettings, QueueSettings, ServiceIdentitySettings, StoreSettings, ValkeySettings


class UploadSettings(DatabaseSettings, ValkeySettings, QueueSettings, StoreSettings, ServiceIdentitySettings):
    """Read from the environment by the names of the fields, in capitals."""

    share_url: str
    session_lifetime: timedelta = timedelta(hours=24)
    """How long an upload may stand still. In the environment: seconds, or ISO 8601."""
    complete_wait: timedelta = timedelta(seconds=20)
    """How long completing waits for the verification before it answers without it."""
    unclaimed_lifetime: timedelta = timedelta(hours=24)
    """After this long a file that no share holds is released."""
    garbage_grace: timedelta = timedelta(hours=1)
    """How long the object of an unreferenced blob is kept."""
