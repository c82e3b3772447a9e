"""Every kind of mirror, and the options that each takes.

Other options are refused, because libraries have some that would read files, the environment or the network.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mirror."""

    module: str
    """The module in this package that has its driver."""
    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    """The options that are never shown again."""
    logins: tuple[frozenset[str], ...] = ()
    """Ways to sign in. All options of exactly one way must be given; an empty one allows not to sign in."""
    fixed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Options that the library always gets."""

    @property
    def known(self) -> frozenset[str]:
        return self.required | self.optional | frozenset[str]().union(*self.logins)


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


DESTINATION = _names("endpoint url ping_url host port host_key")
"""Options that decide to whom secrets are sent."""
LOCATION = _names("endpoint url host port root bucket bucket_id container account_name")
"""Options that decide where replicas are."""

_NO_LOGIN = _names("")
_REFRESHED = _names("refresh_token client_id client_secret")
_TOKENS = _names("access_token refresh_token client_secret")


def _drive() -> Kind:
    """A consumer's cloud drive. Access is by a token that expires, or by a refresh token that renews it."""
    return Kind(
        "opendal_whole", _NO_LOGIN, optional=_names("root"), secret=_TOKENS, logins=(_names("access_token"), _REFRESHED)
    )


KINDS: Mapping[str, Kind] = {
    "s3": Kind(
        "s3",
        required=_names("endpoint region bucket access_key_id secret_access_key"),
        optional=_names("root enable_virtual_host_style"),
        secret=_names("secret_access_key"),
        fixed={"disable_config_load": "true", "disable_ec2_metadata": "true"},
    ),
    "fs": Kind("folder", required=_names("root")),
    "ftp": Kind(
        "opendal_blocks",
        required=_names("endpoint user password"),
        optional=_names("root"),
        secret=_names("password"),
    ),
    "azblob": Kind(
        "opendal_blocks",
        required=_names("endpoint container account_name"),
        optional=_names("root"),
        secret=_names("account_key sas_token"),
        logins=(_names("account_key"), _names("sas_token")),
    ),
    "gcs": Kind(
        "opendal_blocks",
        required=_names("bucket credential"),
        optional=_names("root endpoint"),
        secret=_names("credential"),
        fixed={"disable_config_load": "true", "disable_vm_metadata": "true"},
    ),
    "b2": Kind(
        "opendal_blocks",
        required=_names("bucket bucket_id application_key_id application_key"),
        optional=_names("root"),
        secret=_names("application_key"),
    ),
    "swift": Kind(
        "opendal_blocks",
        required=_names("endpoint container token"),
        optional=_names("root"),
        secret=_names("token"),
    ),
    "webdav": Kind(
        "webdav",
        required=_names("endpoint"),
        optional=_names("root"),
        secret=_names("password token"),
        logins=(_names("username password"), _names("token"), _NO_LOGIN),
    ),
    "dropbox": _drive(),
    "gdrive": _drive(),
    "onedrive": _drive(),
    "sftp": Kind(
        "sftp",
        required=_names("host host_key username"),
        optional=_names("port root"),
        secret=_names("password private_key"),
        logins=(_names("password"), _names("private_key")),
    ),
    "http": Kind(
        "http_store",
        required=_names("url"),
        optional=_names("token url_field ping_url delete_method"),
        secret=_names("token"),
    ),
}
