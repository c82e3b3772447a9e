"""The settings of the share service and of its worker."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from common.expiry import STYLES
from common.policy import Policy
from common.settings import (
    DatabaseSettings,
    GatewaySettings,
    Networks,
    PublicUrlSettings,
    QueueSettings,
    ServiceIdentitySettings,
    Settings,
    ValkeySettings,
)


class PolicySettings(DatabaseSettings):
    """The policy that applies until an administrator changes it."""

    upload_size: int = Field(default=10 * 1024**3, ge=1)
    """The largest file, in bytes."""
    open_upload: bool = True
    """Whether files may be uploaded without an account."""
    enable_chunk: bool = True
    """Whether FileCodeBox's clients may upload in chunks."""
    allowed_file_types: str = "*"
    """Files that may be uploaded, separated by commas: extensions such as `zip` or `tar.gz`, media types such as
    `image/*`; `*` allows all."""
    expire_styles: str = ",".join(STYLES)
    """The ways to expire that senders may choose, separated by commas."""
    max_save_seconds: int = Field(default=0, ge=0)
    """The longest life of a share, in seconds; 0 means 7 days."""
    numeric_codes: bool = False
    """Whether codes consist of five digits instead of five letters and digits."""
    account_bytes: int = Field(default=0, ge=0)
    """The most bytes of all files of an account together; 0 means any number."""
    account_files: int = Field(default=0, ge=0)
    """The most files of an account; 0 means any number."""
    guest_bytes: int = Field(default=0, ge=0)
    """The most bytes of all files of guests together; 0 means any number."""
    guest_files: int = Field(default=0, ge=0)
    """The most files of guests; 0 means any number."""
    place_bytes: int = Field(default=0, ge=0)
    """The most bytes of all files together; 0 means any number."""
    place_files: int = Field(default=0, ge=0)
    """The most files; 0 means any number."""
    upload_count: int = Field(default=10, ge=1)
    """Uploads allowed per client address in `UPLOAD_MINUTE` minutes."""
    upload_minute: int = Field(default=1, ge=1)
    """Minutes over which `UPLOAD_COUNT` counts."""
    error_count: int = Field(default=10, ge=1)
    """Wrong codes allowed per client address in `ERROR_MINUTE` minutes."""
    error_minute: int = Field(default=1, ge=1)
    """Minutes over which `ERROR_COUNT` counts."""
    site_name: str = "Waystation"
    """Name of the site, for FileCodeBox's clients."""
    site_description: str = "Send a file, pick it up by its code"
    """Description of the site, for FileCodeBox's clients."""
    site_explain: str = ""
    """Explanation that FileCodeBox's page shows below its form."""
    notify_title: str = ""
    """Title of a notice on FileCodeBox's page."""
    notify_content: str = ""
    """Text of that notice."""
    site_accent: str = Field(default="#0b6e69", pattern=r"^#[0-9a-fA-F]{6}$")
    """Colour of buttons and links on the page, such as `#0b6e69`."""
    open_registration: bool = True
    """Whether everybody may register an account."""

    @model_validator(mode="after")
    def _known_styles(self) -> Self:
        styles = _items(self.expire_styles)
        # The page of the dialect cannot send anything when there is no style to choose.
        if not styles or not set(styles) <= set(STYLES):
            raise ValueError(f"EXPIRE_STYLES must name one or more of {', '.join(STYLES)}")
        return self

    def policy(self) -> Policy:
        """The policy before any change by an administrator."""
        return Policy.model_validate(
            {
                "name": self.site_name,
                "description": self.site_description,
                "explain": self.site_explain,
                "notify_title": self.notify_title,
                "notify_content": self.notify_content,
                "accent": self.site_accent,
                "registration": self.open_registration,
                "upload_size": self.upload_size,
                "allowed_file_types": _items(self.allowed_file_types),
                "expire_styles": _items(self.expire_styles),
                "account_bytes": self.account_bytes or None,
                "account_files": self.account_files or None,
                "guest_bytes": self.guest_bytes or None,
                "guest_files": self.guest_files or None,
                "place_bytes": self.place_bytes or None,
                "place_files": self.place_files or None,
                "enable_chunk": self.enable_chunk,
                "open_upload": self.open_upload,
                "max_save_seconds": self.max_save_seconds,
                "upload_count": self.upload_count,
                "upload_minute": self.upload_minute,
                "error_count": self.error_count,
                "error_minute": self.error_minute,
                "numeric_codes": self.numeric_codes,
            }
        )


class PageSettings(Settings):
    """A web page of the operator's own."""

    page_document: str = ""
    """The document of a web page of one's own, in which the share service fills in the placeholders."""


class ShareSettings(
    PolicySettings, ValkeySettings, ServiceIdentitySettings, GatewaySettings, PublicUrlSettings, PageSettings
):
    """The settings of the service."""

    upload_url: str
    """URL of the upload service."""
    chat_url: str
    """URL of the chat service."""
    download_key_secret: SecretStr = Field(min_length=16)
    """The secret from which the keys of downloads and deletions are derived."""
    guess_global_count: int = Field(default=1000, ge=1)
    """Wrong codes that all client addresses together may send per minute before those that sent some are refused."""
    webhook_allowed_networks: Networks = ""
    """Private networks (CIDR, separated by commas) that webhooks and notices for the whole place may lead to, beside
    public ones. Those of accounts never do."""


class WorkerSettings(ShareSettings, QueueSettings):
    """The settings of the worker."""


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
