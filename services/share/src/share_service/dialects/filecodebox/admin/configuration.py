"""The configuration as the pages of the administration know it, and what it means for the policy."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from common.dialects.filecodebox import FieldError, Refused, int_field
from common.policy import UNLIMITED, Policy
from share_service.dialects.filecodebox.answers import configuration

DAY = 24 * 60 * 60
PASSWORD_KEY = "admin_token"  # noqa: S105
THEME = {"name": "2024", "key": "themes/2024", "author": "Lan", "version": "1.0"}

KEYS = {
    "name": "name",
    "description": "description",
    "keywords": "keywords",
    "explain": "page_explain",
    "notify_title": "notify_title",
    "notify_content": "notify_content",
    "robots": "robotsText",
    "opacity": "opacity",
    "background": "background",
    "show_admin_address": "showAdminAddr",
    "open_upload": "openUpload",
    "upload_size": "uploadSize",
    "enable_chunk": "enableChunk",
    "allowed_file_types": "allowed_file_types",
    "expire_styles": "expireStyle",
    "numeric_codes": "code_generate_type",
    "place_bytes": "storageLimit",
    "max_save_seconds": "max_save_seconds",
    "upload_minute": "uploadMinute",
    "upload_count": "uploadCount",
    "error_minute": "errorMinute",
    "error_count": "errorCount",
    "login_minute": "loginMinute",
    "login_count": "loginCount",
    "admin_session_days": "adminSessionExpire",
}
"""The keys of the configuration, by the policy's fields."""
# They describe a store of the other system. Whatever a page sends back for them is ignored.
_STORAGE = {
    "file_storage": "local",
    "storage_path": "",
    "trustedProxies": [],
    **dict.fromkeys(
        (
            *("s3_access_key_id", "s3_secret_access_key", "s3_bucket_name", "s3_endpoint_url", "s3_region_name"),
            *("s3_signature_version", "s3_hostname", "aws_session_token", "webdav_url", "webdav_username"),
            *("webdav_password", "webdav_root_path", "onedrive_domain", "onedrive_client_id", "onedrive_username"),
            *("onedrive_password", "onedrive_root_path"),
        ),
        "",
    ),
    **dict.fromkeys(("s3_proxy", "webdav_proxy", "onedrive_proxy"), 0),
}
"""Keys that mean nothing here, with values that do no harm."""


def whole_configuration(policy: Policy) -> dict[str, Any]:
    """The configuration, with the public part, and without any secret."""
    values = {key: getattr(policy, field) for field, key in KEYS.items()}
    return {
        **configuration(policy),
        **_STORAGE,
        **values,
        "showAdminAddr": int(policy.show_admin_address),
        "openUpload": int(policy.open_upload),
        "enableChunk": int(policy.enable_chunk),
        "code_generate_type": "number" if policy.numeric_codes else "secret",
        "storageLimit": policy.place_bytes or 0,
        "adminSessionExpire": policy.admin_session_days * DAY,
        "themesSelect": THEME["key"],
        "themesChoices": [THEME],
        PASSWORD_KEY: "",
    }


def policy_values(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the policy that a configuration stands for. Raises `Refused`.

    Unknown keys and empty numbers are left out.
    """
    found: dict[str, Any] = {}
    for field, key in KEYS.items():
        value = sent.get(key)
        if value is None and field == "allowed_file_types":
            value = sent.get("allowedFileTypes")
        if value is None or (value == "" and field not in _TEXTS):
            continue
        try:
            found[field] = _READERS.get(field, _text)(value)
        except (ValueError, TypeError, FieldError):
            raise misshaped(key) from None
    return found


def misshaped(key: str) -> Refused:
    """The refusal of a value."""
    return Refused(400, f"{key} 配置值格式错误")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _number(value: Any) -> int:
    return int_field({"value": value}, "value")


def _switch(value: Any) -> bool:
    number = int(value) if isinstance(value, bool) else _number(value)
    if number not in (0, 1):
        raise ValueError("neither on nor off")
    return bool(number)


def _fraction(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("no number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("too many digits") from None


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list):
        raise TypeError("no list")
    return [_text(one) for one in cast("list[Any]", value)]


def _is_numeric(value: Any) -> bool:
    if value not in ("secret", "number"):
        raise ValueError("no kind of code")
    return value == "number"


def _days(value: Any) -> int:
    days, rest = divmod(_number(value), DAY)
    if rest:
        raise ValueError("no whole days")
    return days


def _limit(value: Any) -> int | str:
    """A number of bytes; 0 stands for no limit, also if the environment sets one."""
    return _number(value) or UNLIMITED


_TEXTS = ("name", "description", "keywords", "explain", "notify_title", "notify_content", "robots", "background")
_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("show_admin_address", "open_upload", "enable_chunk"), _switch),
    **dict.fromkeys(("upload_size", "max_save_seconds", "upload_minute", "upload_count"), _number),
    **dict.fromkeys(("error_minute", "error_count", "login_minute", "login_count"), _number),
    **dict.fromkeys(("allowed_file_types", "expire_styles"), _texts),
    "opacity": _fraction,
    "numeric_codes": _is_numeric,
    "place_bytes": _limit,
    "admin_session_days": _days,
}
