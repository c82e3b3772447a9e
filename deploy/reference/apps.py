"""The applications of the services, made without any engine: enough to ask for their routes and documents."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from auth_service.app import create_app as create_auth
from chat_service.app import create_app as create_chat
from deploy.settings_reference import PROCESSES
from share_service.app import create_app as create_share
from upload_service.app import create_app as create_upload

_MAKERS: dict[str, Callable[[Any], FastAPI]] = {
    "auth": create_auth,
    "upload": create_upload,
    "share": create_share,
    "chat": create_chat,
}
_NO_ENGINE = {
    **dict.fromkeys(("share_url", "upload_url", "chat_url", "auth_url", "s3_endpoint"), "http://127.0.0.1:1"),
    **dict.fromkeys(("valkey_url", "broker_url"), "redis://127.0.0.1:1/0"),
    **dict.fromkeys(("service_secret", "admin_password", "download_key_secret", "mirror_key"), "0123456789abcdef" * 4),
    **dict.fromkeys(("s3_access_key", "s3_secret_key"), "0123456789"),
    "database_url": "postgresql://user:password@127.0.0.1:1/none",
    "service_secrets": {},
}


def without_engines() -> dict[str, FastAPI]:
    """The application of each service, by its name. None has opened a connection."""
    return {
        service: make(
            PROCESSES[service].model_validate(
                {name: value for name, value in _NO_ENGINE.items() if name in PROCESSES[service].model_fields}
            )
        )
        for service, make in _MAKERS.items()
    }
