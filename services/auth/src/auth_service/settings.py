"""The settings of the auth service and of its worker."""

from pydantic import Field, SecretStr, field_validator

from auth_service.directory import names
from auth_service.directory.names import NameUnusable
from common.settings import (
    DatabaseSettings,
    GatewaySettings,
    PublicUrlSettings,
    QueueSettings,
    ServiceIdentitySettings,
    ValkeySettings,
)


class AuthSettings(DatabaseSettings, ValkeySettings, QueueSettings, GatewaySettings, PublicUrlSettings):
    """The settings of the service."""

    share_url: str
    """URL of the share service."""
    service_secrets: dict[str, SecretStr]
    """The secrets of all services, as a JSON object from name to secret."""
    admin_name: str = "admin"
    """Name of the first administrator, who is created at the first start. The password of the account with this name
    opens FileCodeBox's administration."""
    admin_password: SecretStr = Field(min_length=8, max_length=1024)
    """Password of the first administrator. It is used only while there is no administrator."""
    account_calls_per_minute: int = Field(default=10, ge=1)
    """Registrations allowed per client address and minute; the same number of logins, of refreshes and of logouts."""
    login_failure_address_count: int = Field(default=20, ge=1)
    """Wrong passwords allowed per client address in `LOGIN_FAILURE_MINUTES` minutes."""
    login_failure_account_count: int = Field(default=20, ge=1)
    """Wrong passwords allowed per account in the same time, counting only addresses that never signed in to it."""
    login_failure_minutes: int = Field(default=5, ge=1)
    """Minutes after which wrong passwords are forgotten."""

    @field_validator("admin_name")
    @classmethod
    def _usable_name(cls, name: str) -> str:
        try:
            return names.shown(name)
        except NameUnusable as error:
            raise ValueError(error.message) from None


class WorkerSettings(DatabaseSettings, QueueSettings, ServiceIdentitySettings):
    """The settings of the worker."""

    share_url: str
    """URL of the share service."""
    upload_url: str
    """URL of the upload service."""
    chat_url: str
    """URL of the chat service."""
    key_lifetime_days: int = Field(default=90, ge=1)
    """Days after which a new key signs the tokens of sessions. Nobody is signed out by that."""
