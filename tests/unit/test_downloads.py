import hashlib
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.downloads import StoredAt, repr_digest, shortened
from common.http.downloads import disposition_of, download


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
    assert not set(value) & set("\r\n")
    assert value.count('"') == 2
    assert unquote(value.partition("''")[2]) == name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("report 2.pdf", "report 2.pdf"),
        ("报告.pdf", "__.pdf"),
        ('a "b"; c\\d/e.txt', "a _b_; c_d_e.txt"),
        # Some clients decode escapes in it.
        ("100%.txt", "100%.txt"),
        ("%2e%2E%2f", "_2e_2E_2f"),
        ("a\r\nb\x7f", "a__b_"),
    ],
)
def test_clients_that_read_only_ascii_get_a_name_too(name: str, plain: str) -> None:
    assert disposition_of(name, inline=True) == f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def test_every_download_is_sandboxed_and_says_its_digest() -> None:
    digest = hashlib.sha256(b"content").digest()
    answer = download(
        stored_at=StoredAt("/b/k?s"), size=7, sha256=digest, media_type="text/html", name="a.html", inline=True
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["repr-digest"] == repr_digest(digest)
    assert answer.headers["etag"] == f'"{digest.hex()}"'
    assert answer.body == b""
