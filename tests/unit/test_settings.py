from pathlib import Path

import pytest
from pydantic import ValidationError

from common.settings import DatabaseSettings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_URL_FILE", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("postgresql://secret\n")
    monkeypatch.setenv("DATABASE_URL_FILE", str(path))
    settings = DatabaseSettings()  # pyright: ignore[reportCallIssue]
    assert settings.database_url.get_secret_value() == "postgresql://secret"
    assert "secret" not in repr(settings)


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("from the file")
    monkeypatch.setenv("DATABASE_URL_FILE", str(path))
    monkeypatch.setenv("DATABASE_URL", "from the environment")
    settings = DatabaseSettings()  # pyright: ignore[reportCallIssue]
    assert settings.database_url.get_secret_value() == "from the environment"


def test_there_is_no_default_for_a_secret() -> None:
    with pytest.raises(ValidationError):
        DatabaseSettings()  # pyright: ignore[reportCallIssue]


def test_settings_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://x")
    settings = DatabaseSettings()  # pyright: ignore[reportCallIssue]
    with pytest.raises(ValidationError):
        settings.log_level = "debug"
