"""The pure rules of File Uploader's links: their form, deletion keys and media types."""

import hmac
import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from share_service.downloads.keys import DownloadKeys
from share_service.downloads.media_types import preview_type
from share_service.shares.delete_keys import DeleteKeys
from share_service.shares.model import LINK_ALPHABET, is_code, is_link, link_extension

KEYS = DeleteKeys("a secret of some length")
SHARE = UUID("00000000-0000-4000-8000-000000000001")


@given(
    st.text(LINK_ALPHABET, min_size=10, max_size=10),
    st.sampled_from(["", ".mp4", ".gz", ".A1", ".0", "." + "a" * 16]),
)
def test_a_link_has_ten_characters_and_an_extension_and_is_never_a_code(name: str, extension: str) -> None:
    assert is_link(name + extension)
    assert not is_code(name + extension)


@pytest.mark.parametrize(
    "text",
    ["", "ABCDE", "123456789", "12345678901", "123456789-.", "123456789-.a.b", "123456780-", "123456789-\n",
     "123456789ü", "123456789-." + "a" * 17,
     "123456789-.a/b", "123456789-.é", "123456789 ", "123456789\0", "٣٣٣٣٣٣٣٣٣٣"],
)  # fmt: skip
def test_anything_else_is_no_link(text: str) -> None:
    assert not is_link(text)


@given(st.text(max_size=20))
def test_no_text_is_both_a_link_and_a_code(text: str) -> None:
    assert not (is_link(text) and is_code(text))


@pytest.mark.parametrize("extension", ["", ".", "mp4", ".a b", ".é", "." + "a" * 17, ".a\n", "./x", ".tar.gz"])
def test_an_invalid_extension_is_left_out(extension: str) -> None:
    assert link_extension(extension) == ""


def test_a_deletion_key_looks_like_a_random_uuid() -> None:
    keys = {KEYS.key(uuid4()) for _ in range(1000)}
    assert len(keys) == 1000
    for key in keys:
        assert (UUID(key).version, str(UUID(key))) == (4, key)


def test_a_deletion_key_belongs_to_one_share_and_one_secret() -> None:
    key = KEYS.key(SHARE)
    assert KEYS.key(SHARE) == key
    assert KEYS.matches(SHARE, key)
    assert not KEYS.matches(uuid4(), key)
    assert not DeleteKeys("another secret of some length").matches(SHARE, key)


def test_only_the_key_itself_matches() -> None:
    key = KEYS.key(SHARE)
    for spelling in (key.upper(), key.replace("-", ""), f"{key}\n", f" {key}", f"{{{key}}}", ""):
        assert not KEYS.matches(SHARE, spelling)


@given(st.none() | st.text(max_size=50))
def test_made_up_keys_match_nothing(key: str | None) -> None:
    assert not KEYS.matches(SHARE, key)


def test_deletion_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(first: bytes, second: bytes) -> bool:
        compared.append((first, second))
        return first == second

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert not KEYS.matches(SHARE, "x")
    assert not KEYS.matches(SHARE, None)
    assert KEYS.matches(SHARE, KEYS.key(SHARE))
    assert len(compared) == 3


def test_no_deletion_key_is_a_download_key() -> None:
    one_secret = "a secret of some length"
    download_key = DownloadKeys(one_secret).issue("ABCDE", datetime(2026, 3, 1, tzinfo=UTC))
    assert not DeleteKeys(one_secret).matches(SHARE, download_key)


CONTRACT = {
    "xml": "application/xml", "yaml": "application/x-yaml",
    "aac": "audio/aac", "mp3": "audio/mpeg", "ogg": "audio/ogg",
    "gif": "image/gif", "jpeg": "image/jpeg", "jpg": "image/jpeg", "png": "image/png", "svg": "image/svg+xml",
    "tiff": "image/tiff", "ico": "image/vnd.microsoft.icon", "wbmp": "image/vnd.wap.wbmp", "webp": "image/webp",
    "csv": "text/csv; charset=utf-8", "html": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "mpeg": "video/mpeg", "mp4": "video/mp4", "webm": "video/webm", "avi": "video/x-msvideo",
}  # fmt: skip


@pytest.mark.parametrize(("extension", "media_type"), CONTRACT.items())
def test_the_extension_decides_how_a_browser_shows_a_file(extension: str, media_type: str) -> None:
    for name in (f"a.{extension}", f"a.b.{extension.upper()}", f".{extension}", f"a.exe.{extension}"):
        assert preview_type(name) == media_type
    for name in (
        extension,
        f"a.{extension}.",
        f"a.{extension} ",
        f"a.{extension}.exe",
        f"a.{extension}\0",
        f"a/{extension}",
    ):
        assert preview_type(name) is None


@given(st.text(max_size=12))
def test_all_other_files_can_only_be_saved(name: str) -> None:
    extension = re.search(r"\.([^.]*)\Z", name)
    if not extension or extension[1].lower() not in CONTRACT:
        assert preview_type(name) is None
