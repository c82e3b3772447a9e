"""Settings come from the environment; a secret may also come from the file that `NAME_FILE` names.

Each service composes the fragments it needs into one frozen class and builds it once, in its composition root.
"""

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class FileSource(PydanticBaseSettingsSource):
    """Reads `NAME` from the file that the environment variable `NAME_FILE` names (Docker's habit for secrets)."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE")
        value = Path(path).read_text(encoding="utf-8").strip() if path else None
        return value, field_name, self.field_is_complex(field)

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, is_complex = self.get_field_value(field, name)
            if value is not None:
                found[key] = self.prepare_field_value(name, field, value, is_complex)
        return found


class Settings(BaseSettings):
    """What every process needs to know."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    log_level: str = "info"
    log_format: Literal["json", "console"] = "json"
    trusted_proxies: str = ""
    """Comma-separated networks (CIDR) whose `X-Forwarded-For` is believed."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, FileSource(settings_cls)


class DatabaseSettings(Settings):
    """Where a service's own database is."""

    database_url: SecretStr
    database_pool_size: int = Field(default=10, ge=1)


class ValkeySettings(Settings):
    """Where limits and short-lived caches live."""

    valkey_url: SecretStr


class QueueSettings(Settings):
    """Where tasks are queued."""

    broker_url: SecretStr


class StoreSettings(Settings):
    """The S3 server that holds the bytes."""

    s3_endpoint: str
    s3_region: str = "us-east-1"
    s3_bucket: str = "waystation"
    s3_access_key: SecretStr
    s3_secret_key: SecretStr


class ServiceIdentitySettings(Settings):
    """How a service proves to the others who it is."""

    auth_url: str
    service_secret: SecretStr


class PublicUrlSettings(Settings):
    """How clients reach the system."""

    public_url: str = ""
    """Such as `https://files.example.org`; empty: whatever host name a request came to."""
