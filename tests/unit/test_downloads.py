import hashlib
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.downloads import StoredAt, repr_digest, shortened
from common.http.downloads import download


@given(st.text(min_size=1, max_size=400).filter(lambda name: not any("\ud800" <= c <= "\udfff" for c in name)))
def test_a_name_is_shortened_to_valid_text_of_at_most_255_bytes(name: str) -> None:
    short = shortened(name)
    assert len(short.encode()) <= 255
    assert name.startswith(short) or "." in name


def test_the_extension_survives_shortening() -> None:
    short = shortened("😀" * 1024 + ".tar.gz")
    assert short.endswith(".gz")
    assert 250 <= len(short.encode()) <= 255


@pytest.mark.parametrize("name", ['a"b.txt', "a\r\nSet-Cookie: x=1", "../../etc/passwd", "‮gpj.exe", "日本.txt"])
def test_a_name_cannot_leave_its_header(name: str) -> None:
    answer = download(
        stored_at=StoredAt("/b/k?s"), size=1, sha256=bytes(32), media_type="application/octet-stream", name=name
    )
    value = answer.headers["content-disposition"]
    assert value.isascii()
    assert not set(value) & set('"\r\n')
    assert unquote(value.partition("''")[2]) == name


def test_every_download_is_sandboxed_and_says_its_digest() -> None:
    digest = hashlib.sha256(b"content").digest()
    answer = download(
        stored_at=StoredAt("/b/k?s"), size=7, sha256=digest, media_type="text/html", name="a.html", inline=True
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["repr-digest"] == repr_digest(digest)
    assert answer.body == b""
