"""The settings of the embedded stack, which come from the environment. docs/operate.md describes them."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import store as stores
from deploy.local.store import Kind

# These settings are passed on to the services. No other variable of the user's environment is, because one that some
# library reads (a proxy, a Python path) would change the system unnoticed. The names are those of all fields with a
# default in the services' settings classes, which are not imported here because they would load half the system;
# tests/unit/test_settings_reference.py compares them.
POLICY_NAMES = frozenset(
    {
        *("LOG_LEVEL", "LOG_FORMAT", "DATABASE_POOL_SIZE"),
        *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_SDK_DISABLED"),
        *("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"),
        *(
            "SITE_NAME",
            "SITE_DESCRIPTION",
            "SITE_EXPLAIN",
            "NOTIFY_TITLE",
            "NOTIFY_CONTENT",
            "SITE_ACCENT",
            "WEBHOOK_ALLOWED_NETWORKS",
        ),
        *("UPLOAD_SIZE", "ALLOWED_FILE_TYPES", "EXPIRE_STYLES", "ENABLE_CHUNK", "OPEN_UPLOAD", "MAX_SAVE_SECONDS"),
        *("UPLOAD_COUNT", "UPLOAD_MINUTE", "ERROR_COUNT", "ERROR_MINUTE", "GUESS_GLOBAL_COUNT", "NUMERIC_CODES"),
        *("ACCOUNT_BYTES", "ACCOUNT_FILES", "GUEST_BYTES", "GUEST_FILES", "PLACE_BYTES", "PLACE_FILES"),
        *("SESSION_LIFETIME_SECONDS", "COMPLETE_WAIT_SECONDS"),
        *("UNCLAIMED_LIFETIME_SECONDS", "GARBAGE_GRACE_SECONDS", "STORE_RESERVE_BYTES", "STORE_SYNC"),
        *("PUBLIC_URL", "ADMIN_NAME", "OPEN_REGISTRATION", "ACCOUNT_CALLS_PER_MINUTE", "KEY_LIFETIME_DAYS"),
        *("LOGIN_FAILURE_ADDRESS_COUNT", "LOGIN_FAILURE_ACCOUNT_COUNT", "LOGIN_FAILURE_MINUTES"),
        *("FILECODEBOX_FOLDER", "FILE_UPLOADER_UPLOADS_PER_MINUTE", "FILE_UPLOADER_SIZE"),
        *("MIRRORACE_MAX_CHUNK_SIZE", "MIRRORACE_MAX_FILE_SIZE", "MIRRORACE_MAX_MIRRORS"),
        *("ROOM_LIFETIME_SECONDS", "ROOM_CAPACITY", "ROOM_LIFETIME_MAX_SECONDS", "ROOM_CAPACITY_MAX", "ROOM_MEMBERS"),
        *("MIRROR_FOLDERS", "REPLICA_RECHECK_SECONDS", "TRANSFERS_AT_ONCE", "FETCH_ALLOWED_NETWORKS", "FETCH_SECONDS"),
        *("FETCH_STALL_SECONDS", "FETCHES_AT_ONCE", "FETCHES_AT_ONCE_EACH", "FETCHES_OPEN"),
        *("PUBLIC_ROOMS", "PUBLIC_ROOMS_PER_ACCOUNT", "ROOMS_PER_ACCOUNT", "MESSAGE_FILTERS"),
        *("LIVE_CONNECTIONS", "LIVE_CONNECTIONS_PER_ACCOUNT", "LIVE_CONNECTIONS_PER_ADDRESS"),
        *("MESSAGE_BYTES", "INBOX_MESSAGE_BYTES", "INBOX_MESSAGES", "INBOX_UNANSWERED"),
        *("ACCOUNT_MESSAGES_PER_MINUTE", "ROOM_MESSAGES_PER_MINUTE", "ACCOUNT_MESSAGE_BYTES", "ROOM_MESSAGE_BYTES"),
    }
)
TRACES = "OTEL_"
"""The beginning of OpenTelemetry's own variables, which are passed on as well."""
SYSTEM_NAMES = ("PATH", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


class SettingsError(Exception):
    """The value of a setting is not usable."""


@dataclass(frozen=True, slots=True)
class S3Server:
    """An S3 server that holds the files, or that they are moved to or from."""

    endpoint: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"
    bucket: str = "waystation"


@dataclass(frozen=True, slots=True)
class StackSettings:
    """Where the stack runs, and which engines it does not run itself."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8080
    """Port of the gateway; 0 takes a free one."""
    database_admin_url: str | None = None
    valkey_url: str | None = None
    store: Kind = "folder"
    store_folder: Path | None = None
    """The folder of the files; None: a folder in `data`."""
    s3: S3Server | None = None
    s3_bucket: str = "waystation"
    gateway_trusted_proxies: str = ""
    gateway_access_log: str = "off"
    """`on` or `off`. By default the terminal shows only what somebody should look at."""
    web_root: Path | None = None
    """The folder of the web page; None: the one that this checkout builds."""
    web_csp: str = ""
    """The Content-Security-Policy of that page; empty: the one of our own page."""
    admin_password: str | None = field(default=None, repr=False)
    """Password of the first administrator; None: a generated one."""
    policy: Mapping[str, str] = field(default_factory=dict[str, str])
    system: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def files(self) -> Path:
        """The root of the folder store."""
        return self.store_folder or stores.folder(self.data)

    @property
    def public_host(self) -> str:
        """The host in the address that is printed."""
        if self.host in {"0.0.0.0", "::", ""}:
            return "127.0.0.1"
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def admin_name(self) -> str:
        """Name of the first administrator. The default is the auth service's."""
        return self.policy.get("ADMIN_NAME", "admin")


def read(environment: Mapping[str, str] = os.environ) -> StackSettings:
    """The settings that `environment` holds. Raises `SettingsError`."""
    return StackSettings(
        data=Path(environment.get("DATA") or "data").absolute(),
        host=_host(environment.get("HOST") or "127.0.0.1"),
        port=_port(environment.get("PORT") or "8080"),
        database_admin_url=environment.get("DATABASE_URL_ADMIN") or None,
        valkey_url=environment.get("VALKEY_URL") or None,
        store=_store(environment),
        store_folder=Path(environment["STORE_FOLDER"]).absolute() if environment.get("STORE_FOLDER") else None,
        s3=_s3(environment),
        s3_bucket=environment.get("S3_BUCKET") or "waystation",
        gateway_trusted_proxies=environment.get("GATEWAY_TRUSTED_PROXIES", ""),
        gateway_access_log=_switch("GATEWAY_ACCESS_LOG", environment.get("GATEWAY_ACCESS_LOG") or "off"),
        web_csp=_policy_of_page(environment.get("WEB_CSP", "")),
        web_root=Path(environment["WEB_ROOT"]).absolute() if environment.get("WEB_ROOT") else None,
        admin_password=environment.get("ADMIN_PASSWORD") or None,
        policy={name: value for name, value in environment.items() if name in POLICY_NAMES or name.startswith(TRACES)},
        system={name: environment[name] for name in SYSTEM_NAMES if name in environment},
    )


def _policy_of_page(text: str) -> str:
    """Raise `SettingsError` for what is no value of a header, or would end the gateway's text."""
    if not text.isprintable() or set(text) & set('"`{}\\'):
        raise SettingsError("WEB_CSP must be the value of a Content-Security-Policy, without double quotes and braces")
    return text


def _host(text: str) -> str:
    # Some shells set HOST to the name of the machine, which must not open the stack to the network by accident.
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise SettingsError(f"HOST must be an address to listen on, such as 0.0.0.0, not {text!r}") from None


def _switch(name: str, text: str) -> str:
    if text not in ("on", "off"):
        raise SettingsError(f"{name} must be on or off, not {text!r}")
    return text


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise SettingsError(f"PORT must be a number from 0 to 65535, not {text!r}")
    return int(text)


def _store(environment: Mapping[str, str]) -> Kind:
    match environment.get("STORE") or ("s3" if environment.get("S3_ENDPOINT") else "folder"):
        case "folder":
            return "folder"
        case "s3":
            if not environment.get("S3_ENDPOINT"):
                raise SettingsError("STORE=s3 needs S3_ENDPOINT")
            return "s3"
        case other:
            raise SettingsError(f"STORE must be folder or s3, not {other!r}")


def _s3(environment: Mapping[str, str]) -> S3Server | None:
    endpoint = environment.get("S3_ENDPOINT")
    if not endpoint:
        return None
    access_key, secret_key = environment.get("S3_ACCESS_KEY"), environment.get("S3_SECRET_KEY")
    if not access_key or not secret_key:
        raise SettingsError("S3_ENDPOINT needs S3_ACCESS_KEY and S3_SECRET_KEY")
    region, bucket = environment.get("S3_REGION") or "us-east-1", environment.get("S3_BUCKET") or "waystation"
    return S3Server(endpoint.rstrip("/"), access_key, secret_key, region, bucket)
