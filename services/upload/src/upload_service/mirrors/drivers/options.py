"""Checks the options that an administrator gives for a mirror, before they are used.

Messages name options and never repeat their values.
"""

import base64
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from upload_service.mirrors.drivers.interface import OptionsInvalid, Rules
from upload_service.mirrors.drivers.kinds import KINDS, Kind

MAX_LENGTH = 16 * 1024
"""Characters of one option; a service account's credential has about 2,400."""
_SLASHES = re.compile("/{2,}")
_LINES = ("private_key", "credential")
_REGION = re.compile("[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?", re.ASCII)
_BUCKET = re.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)


def kind_of(kind: str) -> Kind:
    """The kind of this name. Raises `OptionsInvalid` if there is none."""
    if kind not in KINDS:
        raise OptionsInvalid("there is no such kind of mirror")
    return KINDS[kind]


def check(kind: str, options: Mapping[str, str], rules: Rules) -> None:
    """Raise `OptionsInvalid` unless a mirror of this kind can have these options."""
    known = kind_of(kind)
    _check_names(known, frozenset(options))
    for name, value in options.items():
        _check_text(name, value)
        if name in _CHECKS:
            _CHECKS[name](name, value)
    if kind == "s3":
        _check_s3(options)
    if kind == "ftp":
        # OpenDAL's FTP over TLS panics at every use.
        if options["endpoint"].lower().startswith("ftps:"):
            raise OptionsInvalid("this system does not speak FTP over TLS; use sftp, or ftp")
        _check_url("endpoint", options["endpoint"], ("ftp",))
    elif "endpoint" in options:
        _check_url("endpoint", options["endpoint"], ("http", "https"))
    if kind == "fs":
        folder_of(options["root"], rules)


def normalised(options: Mapping[str, str]) -> dict[str, str]:
    """Options that have been checked, with address and root in the one form that all drivers are given.

    Neither ends in a slash, and no slash follows another. Percent signs in an endpoint escape a character, and in a
    root stand for themselves, because it is a folder's name and no URL.
    """
    changed = dict(options)
    if endpoint := options.get("endpoint"):
        parts = urlsplit(endpoint)
        path = quote(_SLASHES.sub("/", parts.path).rstrip("/"), safe="/%:@!$&'()*+,;=~")
        changed["endpoint"] = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
    if root := options.get("root"):
        changed["root"] = _SLASHES.sub("/", root).rstrip("/") or "/"
    return changed


def folder_of(root: str, rules: Rules) -> Path:
    """The folder that a mirror of kind fs writes to. Raises `OptionsInvalid`.

    The disk is not touched, as it may hang: symbolic links are followed and judged whenever the folder is used.
    """
    path = Path(root)
    if not path.is_absolute():
        raise OptionsInvalid("root is not an absolute path")
    if not any(path.is_relative_to(folder) for folder in rules.folders):
        raise OptionsInvalid("root is not in a folder that may hold mirrors")
    return path


def _check_s3(options: Mapping[str, str]) -> None:
    if not _REGION.fullmatch(options["region"]):
        raise OptionsInvalid("region is not the name of a region, such as us-east-1")
    if not _BUCKET.fullmatch(options["bucket"]):
        raise OptionsInvalid("bucket is not the name of a bucket: 3 to 63 of a-z, 0-9, '.' and '-'")


def _check_names(kind: Kind, given: frozenset[str]) -> None:
    if unknown := given - kind.known:
        raise OptionsInvalid(f"there is no option {min(unknown)[:40]!r} of this kind")
    if missing := kind.required - given:
        raise OptionsInvalid(f"the option {min(missing)} is missing")
    login = given & frozenset[str]().union(*kind.logins)
    if kind.logins and login not in kind.logins:
        ways = " or ".join(" and ".join(sorted(way)) for way in kind.logins if way)
        raise OptionsInvalid(f"either {ways} must be given")


def _check_text(name: str, value: str) -> None:
    if not value.strip() or len(value) > MAX_LENGTH:
        raise OptionsInvalid(f"{name} is empty or too long")
    allowed = "\r\n\t" if name in _LINES else ""
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in allowed for character in value):
        raise OptionsInvalid(f"{name} holds control characters")


def _check_url(name: str, value: str, schemes: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in schemes and _is_host(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
        parts = urlsplit("")
    if not valid or " " in value:
        raise OptionsInvalid(f"{name} is not a URL that begins with {' or '.join(schemes)}")
    # They would be shown wherever the URL is shown.
    if parts.username is not None or parts.password is not None:
        raise OptionsInvalid(f"{name} holds a user name or a password; they have options of their own")
    if parts.fragment or (parts.query and name == "endpoint"):
        raise OptionsInvalid(f"{name} holds more than an address")
    if name == "endpoint":
        _check_root(name, unquote(parts.path))


def _is_host(value: str | None) -> bool:
    """Whether it can be looked up: each label of a name has 1 to 63 characters."""
    try:
        return bool(value) and bool(value.encode("idna"))
    except UnicodeError:
        return False


def _check_http(name: str, value: str) -> None:
    _check_url(name, value, ("http", "https"))


def _check_root(name: str, value: str) -> None:
    if any(segment in (".", "..") for segment in value.split("/")):
        raise OptionsInvalid(f"{name} holds a relative segment")


def _check_port(name: str, value: str) -> None:
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= 65535):
        raise OptionsInvalid(f"{name} is not a port")


def _check_host(name: str, value: str) -> None:
    if any(character in value for character in "/@ ?#") or not _is_host(value):
        raise OptionsInvalid(f"{name} is not a host name or an address")


def _one_of(*allowed: str) -> Callable[[str, str], None]:
    def check_value(name: str, value: str) -> None:
        if value not in allowed:
            raise OptionsInvalid(f"{name} is neither {' nor '.join(allowed)}")

    return check_value


def service_account(value: str) -> str:
    """A service account's credential in base64, as OpenDAL takes it. Raises `OptionsInvalid`.

    Other types of credentials are refused, because they name files and URLs that the library would read.
    """
    try:
        fields = json.loads(value)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or fields.get("type") != "service_account":  # pyright: ignore[reportUnknownMemberType]
        raise OptionsInvalid("credential is not the JSON of a service account's key")
    return base64.b64encode(value.encode()).decode()


def _check_credential(_: str, value: str) -> None:
    service_account(value)


def _check_host_key(name: str, value: str) -> None:
    algorithm, _, rest = value.strip().partition(" ")
    try:
        # The key repeats the name of the algorithm, after its length.
        matches = base64.b64decode(rest.split(" ")[0], validate=True)[4:].startswith(algorithm.encode())
    except ValueError:
        matches = False
    if not matches or not algorithm:
        raise OptionsInvalid(f"{name} is not the line of a public key, such as ssh-ed25519 AAAA…")


_CHECKS: Mapping[str, Callable[[str, str], None]] = {
    "url": _check_http,
    "ping_url": _check_http,
    "root": _check_root,
    "port": _check_port,
    "host": _check_host,
    "host_key": _check_host_key,
    "credential": _check_credential,
    "delete_method": _one_of("none", "DELETE"),
    "enable_virtual_host_style": _one_of("true", "false"),
}
