from typing import Any

import pytest
from pydantic import ValidationError

from auth_service.settings import AuthSettings

NEEDED = {
    "database_url": "postgresql://x",
    "valkey_url": "redis://x",
    "broker_url": "redis://x",
    "share_url": "http://share",
    "service_secrets": {},
    "admin_password": "a generated password",
}


def made(**changes: Any) -> AuthSettings:
    return AuthSettings.model_validate({**NEEDED, **changes})


def test_there_is_no_default_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ADMIN_PASSWORD", raising=False)
    with pytest.raises(ValidationError):
        AuthSettings.model_validate({name: value for name, value in NEEDED.items() if name != "admin_password"})
    for password in ("", "short", "x" * 1025):
        with pytest.raises(ValidationError):
            made(admin_password=password)


def test_the_first_administrator_needs_a_valid_name() -> None:
    assert made(admin_name=" Ann ").admin_name == "Ann"
    for name in ("", " ", "a\0b", "x" * 256):
        with pytest.raises(ValidationError):
            made(admin_name=name)


def test_no_secret_is_shown() -> None:
    assert "a generated password" not in repr(made())
