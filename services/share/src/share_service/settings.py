"""The settings of the share service and of its worker."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from common.expiry import STYLES
from common.policy import Policy
from common.settings import (
    DatabaseSettings,
    PublicUrlSettings,
    QueueSettings,
    ServiceIdentitySettings,
    ValkeySettings,
)


class WorkerSettings(DatabaseSettings, QueueSettings, ServiceIdentitySettings):
    """What the sweeps need."""

    upload_url: str


class PolicySettings(DatabaseSettings):
    """What is allowed unless an administrator changed it. Sizes in bytes, the rest in the unit that the name says."""

    site_name: str = "Waystation"
    site_description: str = "Send a file, pick it up by its code"
    site_explain: str = ""
    notify_title: str = ""
    notify_content: str = ""
    upload_size: int = Field(default=10 * 1024**3, ge=1)
    allowed_file_types: str = "*"
    expire_styles: str = ",".join(STYLES)
    enable_chunk: bool = True
    open_upload: bool = True
    max_save_seconds: int = Field(default=0, ge=0)
    upload_count: int = Field(default=10, ge=1)
    upload_minute: int = Field(default=1, ge=1)
    error_count: int = Field(default=10, ge=1)
    error_minute: int = Field(default=1, ge=1)
    numeric_codes: bool = False

    @model_validator(mode="after")
    def _known_styles(self) -> Self:
        styles = _items(self.expire_styles)
        # The page of the dialect cannot send anything when there is no style to choose.
        if not styles or not set(styles) <= set(STYLES):
            raise ValueError(f"EXPIRE_STYLES must name one or more of {', '.join(STYLES)}")
        return self

    def policy(self) -> Policy:
        """The policy before any change by an administrator."""
        return Policy(
            name=self.site_name,
            description=self.site_description,
            explain=self.site_explain,
            notify_title=self.notify_title,
            notify_content=self.notify_content,
            upload_size=self.upload_size,
            allowed_file_types=_items(self.allowed_file_types),
            expire_styles=_items(self.expire_styles),
            enable_chunk=self.enable_chunk,
            open_upload=self.open_upload,
            max_save_seconds=self.max_save_seconds,
            upload_count=self.upload_count,
            upload_minute=self.upload_minute,
            error_count=self.error_count,
            error_minute=self.error_minute,
            numeric_codes=self.numeric_codes,
        )


class ShareSettings(PolicySettings, ValkeySettings, ServiceIdentitySettings, PublicUrlSettings):
    """What the service needs."""

    upload_url: str
    download_key_secret: SecretStr = Field(min_length=16)
    guess_global_count: int = Field(default=1000, ge=1)
    """Wrong codes that the whole system bears in a minute."""


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
