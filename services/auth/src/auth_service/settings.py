"""The settings of the auth service and of its worker."""

from pydantic import Field, SecretStr, field_validator

from auth_service import names
from auth_service.names import NameUnusable
from common.settings import (
    DatabaseSettings,
    PublicUrlSettings,
    QueueSettings,
    ServiceIdentitySettings,
    ValkeySettings,
)


class AuthSettings(DatabaseSettings, ValkeySettings, QueueSettings, PublicUrlSettings):
    """What the service needs."""

    service_secrets: dict[str, SecretStr]
    """Each service's own secret, by its name; given as a JSON object."""
    admin_name: str = "admin"
    admin_password: SecretStr = Field(min_length=8, max_length=1024)
    """Of the first administrator. Read as long as there is none."""
    open_registration: bool = True
    account_calls_per_minute: int = Field(default=10, ge=1)
    """How often an address may register, sign in, refresh or sign out: each kind for itself."""
    login_failure_address_count: int = Field(default=20, ge=1)
    login_failure_account_count: int = Field(default=20, ge=1)
    login_failure_minutes: int = Field(default=5, ge=1)

    @field_validator("admin_name")
    @classmethod
    def _usable_name(cls, name: str) -> str:
        try:
            return names.shown(name)
        except NameUnusable as error:
            raise ValueError(error.message) from None


class WorkerSettings(DatabaseSettings, QueueSettings, ServiceIdentitySettings):
    """What the tasks need."""

    share_url: str
    upload_url: str
    chat_url: str
    key_lifetime_days: int = Field(default=90, ge=1)
    """How long a signing key signs."""
