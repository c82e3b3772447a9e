from pathlib import Path

import pytest
from pydantic import ValidationError

from common.settings import DatabaseSettings, in_words
from upload_service.settings import UploadSettings


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


COMPLETE = {
    **dict.fromkeys(("DATABASE_URL", "VALKEY_URL", "BROKER_URL", "SERVICE_SECRET"), "hidden"),
    **dict.fromkeys(("AUTH_URL", "SHARE_URL", "CHAT_URL"), "http://service"),
    "MIRROR_KEY": "0123456789abcdef",
    "STORE": "folder",
    "STORE_FOLDER": "/files",
}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("FETCH_ALLOWED_NETWORKS", "10.0.0.300/8", "must be networks separated by commas, such as 10.0.0.0/8,fd00::/8"),
        ("FETCH_ALLOWED_NETWORKS", "10.0.0.1/8", "(10.0.0.1/8 has host bits set)"),
        ("FETCH_ALLOWED_NETWORKS", "10.0.0.0/8 192.168.0.0/16", "must be networks separated by commas"),
        ("FETCH_SECONDS", "soon", "must be a valid integer, unable to parse string as an integer, not 'soon'"),
        ("FETCH_SECONDS", "0", "must be greater than or equal to 1, not '0'"),
        ("STORE_SYNC", "perhaps", "must be a valid boolean, unable to interpret input, not 'perhaps'"),
        ("LOG_FORMAT", "xml", "must be 'json' or 'console'"),
        ("MIRROR_KEY", "hidden", "must have at least 16 items after validation, not 6"),
        ("SHARE_URL", None, "must be set"),
        ("STORE_FOLDER", "", "STORE=folder needs STORE_FOLDER"),
        ("VALKEY_URL_FILE", "/nowhere", "must name a file that can be read, not '/nowhere': No such file or directory"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, words: str
) -> None:
    for known, usual in (COMPLETE | {name: value}).items():
        if usual is None:
            monkeypatch.delenv(known, raising=False)
        else:
            monkeypatch.setenv(known, usual)
    with pytest.raises(ValueError) as unusable:
        UploadSettings()  # pyright: ignore[reportCallIssue]
    line = in_words(unusable.value)
    assert line is not None
    assert name in line
    assert words in line
    assert "hidden" not in line
    assert len(line.splitlines()) == 1


def test_other_errors_are_not_about_settings() -> None:
    assert in_words(ValueError("other")) is None
