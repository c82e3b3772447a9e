from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.outbound.urls import URL_LIMIT, UrlInvalid, parse, without_credentials


@pytest.mark.parametrize(
    ("text", "requested"),
    [
        ("http://files.example", "http://files.example/"),
        ("HTTPS://Files.Example:8443/A", "https://files.example:8443/A"),
        ("  http://files.example/a \n", "http://files.example/a"),
        ("http://files.example/a#part", "http://files.example/a"),
        ("http://[2606:4700::1]:81/a", "http://[2606:4700::1]:81/a"),
        ("http://bücher.example/ü b?q=ü b", "http://xn--bcher-kva.example/%C3%BC%20b?q=%C3%BC%20b"),
        # What a signature may cover stays as it was written.
        (
            "http://files.example/a%2fb/%7e?s=a%2FB%20c+d%2b==&t=",
            "http://files.example/a%2fb/%7e?s=a%2FB%20c+d%2b==&t=",
        ),
    ],
)
def test_path_and_query_are_requested_unchanged(text: str, requested: str) -> None:
    assert str(parse(text).url) == requested


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "files.example",
            "/a",
            "//files.example/a",
            "?a",
            "http:",
            "http:files.example",
            "http:///a",
            "http://:80/",
        ),
        *("file:///etc/passwd", "ftp://files.example/", "gopher://files.example/", "data:,a", "ws://files.example/"),
        *(
            "http://files.example:0/",
            "http://files.example:65536/",
            "http://files.example:8x/",
            "http://[::1",
            "http://[]/",
        ),
        *("http://files.example/a\r\nX: b", "http://files\n.example/", "http://a b/", "http://a%41/", "http://a\\@b/"),
        *("http://[fe80::1%25eth0]/", "http://\udc80/", "http://files.example/\udc80", "http://" + "a" * 254 + "/"),
        *("http://:secret@files.example/", "http://a%3Ab:c@files.example/"),
    ],
)
def test_a_url_that_names_no_web_server_is_refused(text: str) -> None:
    with pytest.raises(UrlInvalid) as refused:
        parse(text)
    assert refused.value.code == "url_invalid"


def test_a_url_that_is_too_long_is_refused() -> None:
    longest = "http://files.example/".ljust(URL_LIMIT, "a")
    assert str(parse(longest).url) == longest
    with pytest.raises(UrlInvalid, match="8192"):
        parse(longest + "a")


@pytest.mark.parametrize(
    ("userinfo", "credentials"),
    [
        ("user:password", "user:password"),
        ("us%40er:p%2f%3aq", "us@er:p/:q"),
        ("user:", "user:"),
        ("token", "token:"),
        ("ü:ö", "ü:ö"),
    ],
)
def test_a_user_and_a_password_become_a_header(userinfo: str, credentials: str) -> None:
    parsed = parse(f"http://{userinfo}@files.example/a")
    assert str(parsed.url) == "http://files.example/a"
    assert parsed.authorization is not None
    assert b64decode(parsed.authorization.removeprefix("Basic ")).decode() == credentials


def test_an_origin_is_scheme_host_and_port() -> None:
    origin = parse("http://files.example/a").origin
    assert parse("http://FILES.example:80/b?c").origin == origin
    for other in ("https://files.example/a", "http://files.example:81/a", "http://www.files.example/a"):
        assert parse(other).origin != origin


@given(text=st.one_of(st.text(), st.text().map("http://".__add__), st.text().map("http://files.example/".__add__)))
def test_any_text_is_either_refused_or_one_line_of_ascii(text: str) -> None:
    try:
        url = str(parse(text).url)
    except UrlInvalid:
        return
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    assert str(parse(url).url) == url


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:password@files.example/a?b#c", "http://files.example/a?b#c"),
        ("HTTPS://user:p@ss@files.example", "HTTPS://files.example"),
        ("http://user:password@files.example?a@b", "http://files.example?a@b"),
        ("http://files.example/a@b", "http://files.example/a@b"),
        ("http://files.example/?to=http://a:b@other.example", "http://files.example/?to=http://a:b@other.example"),
        ("http://[2606:4700::1]:81/a", "http://[2606:4700::1]:81/a"),
    ],
)
def test_a_url_is_shown_without_its_credentials(text: str, shown: str) -> None:
    assert without_credentials(text) == shown
