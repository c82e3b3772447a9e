"""Settings come from environment variables. A secret may also come from a file, which `NAME_FILE` names.

Each service inherits the classes that it needs in one frozen class and builds it once, in its composition root.
The docstring under a field is the description that operators read; `make settings` copies it to docs/operate.md and
.env.example.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from common.addresses import parse_networks

_WORDS = {"Input should": "must", "Value should": "must", "Field required": "must be set"}
"""Words of pydantic, and those that fit after the name of a setting."""


def _are_networks(text: str) -> str:
    try:
        parse_networks(text)
    except ValueError as error:
        example = "must be networks separated by commas, such as 10.0.0.0/8,fd00::/8"
        raise ValueError(f"{example} ({error})") from None
    return text


Networks = Annotated[str, AfterValidator(_are_networks)]
"""Networks in CIDR notation, separated by commas."""


class FileSource(PydanticBaseSettingsSource):
    """Reads `NAME` from the file that the environment variable `NAME_FILE` names (Docker's habit for secrets)."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = f"{field_name.upper()}_FILE"
        path = os.environ.get(name)
        try:
            value = Path(path).read_text(encoding="utf-8").strip() if path else None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise SettingsError(f"{name} must name a file that can be read, not {path!r}: {reason}") from None
        return value, field_name, self.field_is_complex(field)

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, is_complex = self.get_field_value(field, name)
            if value is not None:
                found[key] = self.prepare_field_value(name, field, value, is_complex)
        return found


class Settings(BaseSettings):
    """The settings of every process."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    log_level: str = "info"
    """The least severe messages that are logged: `debug`, `info`, `warning` or `error`."""
    log_format: Literal["json", "console"] = "json"
    """`json` writes one JSON object a line, `console` writes lines for people."""
    otel_exporter_otlp_endpoint: str = ""
    """URL of a collector that takes traces by OTLP over HTTP, such as `http://collector:4318`; `/v1/traces` is added.
    If empty, there are no traces."""
    otel_exporter_otlp_headers: SecretStr = SecretStr("")
    """Headers that the collector wants, such as `Authorization=Bearer%20…`, separated by commas."""
    otel_traces_sampler: Literal[
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    ] = "parentbased_always_on"
    """The traces that are recorded, by OpenTelemetry's names: `parentbased_traceidratio` records a share of them."""
    otel_traces_sampler_arg: float = Field(default=1, ge=0, le=1)
    """The share of the traces that `parentbased_traceidratio` records, from 0 to 1."""
    otel_sdk_disabled: bool = False
    """`true` turns traces off."""

    @field_validator("otel_traces_sampler", "otel_traces_sampler_arg", "otel_sdk_disabled", mode="before")
    @classmethod
    def _is_set(cls, value: object, field: ValidationInfo) -> object:
        """OpenTelemetry takes an empty variable for one that is not set, and Compose's `${NAME:-}` makes such."""
        return cls.model_fields[field.field_name or ""].default if value == "" else value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, level: str) -> str:
        if level.lower() not in ("debug", "info", "warning", "error", "critical"):
            raise ValueError("must be debug, info, warning or error")
        return level

    @field_validator("otel_exporter_otlp_endpoint")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must be a URL such as http://collector:4318")
        return url

    @field_validator("otel_exporter_otlp_headers")
    @classmethod
    def _are_headers(cls, headers: SecretStr) -> SecretStr:
        if any("=" not in header for header in headers.get_secret_value().split(",") if header.strip()):
            raise ValueError("must be headers such as name=value,name=value")
        return headers

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
    """The database of a service."""

    database_url: SecretStr
    """URL of the service's own PostgreSQL database, with its role and password."""
    database_pool_size: int = Field(default=10, ge=1)
    """Connections to the database that one process may hold."""


class ValkeySettings(Settings):
    """The server of limits, caches and messages."""

    valkey_url: SecretStr
    """URL of the Valkey database that holds limits, short-lived caches and the messages of rooms."""


class QueueSettings(Settings):
    """The queue of tasks."""

    broker_url: SecretStr
    """URL of the Valkey database in which Celery queues tasks."""


class DiskSettings(Settings):
    """The disk of the object store, if it is on this machine."""

    store_sync: bool = True
    """With `STORE=folder`: files are written to the disk before an upload is acknowledged. `0` leaves that to the
    operating system, which is faster; a power failure may then lose acknowledged uploads."""
    store_reserve_bytes: int = Field(default=512 * 1024**2, ge=0)
    """Bytes that uploads leave free on the disk of the object store, if it is on this machine (`STORE_FOLDER`).
    Databases and messages need them; an upload that would is refused."""


class StoreSettings(DiskSettings):
    """The object store that holds the content of files."""

    store: Literal["s3", "folder"] = "s3"
    """`s3` keeps files on an S3 server, `folder` in a folder of this machine."""
    store_folder: str = ""
    """With `STORE=folder`, the folder that holds the files; every process and the gateway have to see it. With
    `STORE=s3`, a folder on the disk of the S3 server, if that is on this machine; if it is empty, only the server
    itself knows when it is full."""
    s3_endpoint: str = ""
    """URL of the S3 server. The gateway's `STORE_ADDRESS` and `STORE_HOST` have to name the same server."""
    s3_region: str = "us-east-1"
    """Region for which S3 requests are signed."""
    s3_bucket: str = "waystation"
    """Bucket for all objects; it is created at the first start."""
    s3_access_key: SecretStr = SecretStr("")
    """Access key of the S3 server."""
    s3_secret_key: SecretStr = SecretStr("")
    """Secret key of the S3 server."""

    @model_validator(mode="after")
    def _has_what_its_store_needs(self) -> Self:
        if self.store == "folder" and not self.store_folder:
            raise ValueError("STORE=folder needs STORE_FOLDER")
        keys = self.s3_access_key.get_secret_value(), self.s3_secret_key.get_secret_value()
        if self.store == "s3" and not (self.s3_endpoint and all(keys)):
            raise ValueError("STORE=s3 needs S3_ENDPOINT, S3_ACCESS_KEY and S3_SECRET_KEY")
        return self


class ServiceIdentitySettings(Settings):
    """The identity that a service proves to the other services."""

    auth_url: str
    """URL of the auth service."""
    service_secret: SecretStr
    """The secret for which the auth service gives this service its tokens."""
    peer_restart_seconds: float = Field(default=0, ge=0)
    """Seconds for which a call waits for another service that does not listen, because it is being replaced."""

    @property
    def peer_patience(self) -> timedelta:
        """`peer_restart_seconds` as a time."""
        return timedelta(seconds=self.peer_restart_seconds)


class GatewaySettings(Settings):
    """The secret that a service shares with the gateway."""

    gateway_token: SecretStr = SecretStr("")
    """Secret that the gateway sends with each request in `X-Gateway-Token`. Only with it does a service believe
    `X-Forwarded-For` and `X-Forwarded-Proto`; without a token it believes nobody."""


class PublicUrlSettings(Settings):
    """The address by which clients reach the system."""

    public_url: str = ""
    """The beginning of all links, such as `https://files.example.org`. If empty, links name the host of the request."""


def in_words(error: ValueError) -> str | None:
    """One line that says which settings cannot be used, and what they should look like; None: it is another error.

    It holds no secret.
    """
    if isinstance(error, SettingsError):
        return f"Settings: {error}"
    kind = _classes().get(error.title) if isinstance(error, ValidationError) else None
    if kind is None or not isinstance(error, ValidationError):
        return None
    return "Settings: " + "; ".join(_problem(kind, found) for found in error.errors(include_url=False))


def _classes() -> dict[str, type[BaseSettings]]:
    """All classes of settings that are known by now, by their names."""
    found: dict[str, type[BaseSettings]] = {}
    left: list[type[BaseSettings]] = [Settings]
    while left:
        kind = left.pop()
        found[kind.__name__] = kind
        left += kind.__subclasses__()
    return found


def _problem(kind: type[BaseSettings], found: ErrorDetails) -> str:
    message = found["msg"].removeprefix("Value error, ")
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    if not found["loc"]:
        return message
    name, value = str(found["loc"][0]), found["input"]
    field = kind.model_fields.get(name)
    # Only plain values are shown. All secrets are of types of their own.
    is_plain = field is not None and any(field.annotation is plain for plain in (str, int, bool))
    is_shown = is_plain and isinstance(value, str) and repr(value) not in message
    return f"{name.upper()} {message}" + (f", not {value!r}" if is_shown else "")
