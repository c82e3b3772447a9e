"""The names of fetched files, and the validators of their content."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.downloads import NAME_LIMIT
from common.names import clean_name
from upload_service.fetches.model import validator_of
from upload_service.fetches.names import UNNAMED, name_of

URL = "http://files.example/folder/from-path.bin"
FROM_PATH = "from-path.bin"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename=plain.txt", "plain.txt"),
        ('attachment; filename="two words.txt"', "two words.txt"),
        ('inline; FILENAME="Upper.TXT"', "Upper.TXT"),
        ('attachment; filename="semi;colon \\"quoted\\".txt"', 'semi;colon "quoted".txt'),
        ("attachment; filename*=UTF-8''%C3%BCber%20uns.txt", "über uns.txt"),
        ("attachment; filename*=iso-8859-1'en'%A3.txt", "£.txt"),
        # RFC 6266, section 4.3: `filename*` wins, whichever comes first.
        ("attachment; filename=\"fallback.txt\"; filename*=UTF-8''%E2%82%AC.txt", "€.txt"),
        ("attachment; filename*=UTF-8''%E2%82%AC.txt; filename=\"fallback.txt\"", "€.txt"),
        # A value that cannot be decoded is ignored.
        ("attachment; filename*=UTF-8''%ff%fe.txt; filename=fallback.txt", "fallback.txt"),
        ("attachment; filename*=no-such-charset''a.txt; filename=fallback.txt", "a.txt"),
        ("attachment; filename*=UTF-8''; filename=fallback.txt", "fallback.txt"),
        # Raw bytes beyond ASCII are read as UTF-8, or else as Latin-1.
        ('attachment; filename="für.txt"', "für.txt"),
        ('attachment; filename="f\udcfcr.txt"', "für.txt"),
    ],
)
def test_the_content_disposition_names_the_content(disposition: str, name: str) -> None:
    assert name_of(URL, disposition) == name


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..\\\\..\\\\boot.ini", "boot.ini"),
        ("C:\\\\Users\\\\me\\\\a.txt", "a.txt"),
        ("mixed/..\\\\a.txt", "a.txt"),
        ("a\tb\x00\x01\x7f.txt", "a b.txt"),
        # Overrides of the writing direction make `exe` look like `txt`.
        ("invoice\u202etxt.exe", "invoicetxt.exe"),
        ("\u2066a\u2069\u200b\ufeff.txt", "a.txt"),
        ("  spaced\u00a0out.txt  ", "spaced out.txt"),
        (".hidden", ".hidden"),
    ],
)
def test_a_name_is_the_last_part_of_a_path_and_printable(said: str, name: str) -> None:
    assert name_of(URL, f'attachment; filename="{said}"') == name


@pytest.mark.parametrize(
    "disposition",
    [
        *(None, "", "attachment", "; ; ;", "=", 'attachment; filename=""', "attachment; filename*=", "\x00"),
        *('attachment; filename=".."', 'attachment; filename="a/.."', 'attachment; filename="folder/"'),
        *('attachment; filename=". ."', 'attachment; filename="\u202e\u200b"'),
        *("attachment; filename*x*=UTF-8''a", "attachment; filename*0*=idna''xn--a%2e"),
    ],
)
def test_without_a_name_in_the_header_the_path_names_the_content(disposition: str | None) -> None:
    assert name_of(URL, disposition) == FROM_PATH


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/b.txt?c=d.txt#e.txt", "b.txt"),
        ("/%C3%BC%20b.txt", "ü b.txt"),
        ("/a/..%2F..%2Fc.txt", "c.txt"),
        ("/%5C..%5Cc.txt", "c.txt"),
        ("/%00%0A.txt", ".txt"),
        ("/f%FCr.txt", "für.txt"),
        *(("/", UNNAMED), ("", UNNAMED), ("/a/", UNNAMED), ("/..", UNNAMED), ("/%2e%2e", UNNAMED), ("/%20", UNNAMED)),
    ],
)
def test_a_path_names_the_content(path: str, name: str) -> None:
    assert name_of(f"http://files.example{path}", None) == name


def test_a_name_that_is_too_long_keeps_its_extension() -> None:
    name = name_of(URL, f'attachment; filename="{"ü" * 300}.tar"')
    assert name.endswith("ü.tar")
    assert NAME_LIMIT - 2 < len(name.encode()) <= NAME_LIMIT


@given(st.text(max_size=200), st.text(st.characters(exclude_characters="\r\n"), max_size=200))
@example("", "\ud800")
def test_any_path_and_header_yield_a_valid_file_name(path: str, disposition: str) -> None:
    for header in (disposition, f'attachment; filename="{disposition}"', f"attachment; filename*=UTF-8''{disposition}"):
        name = name_of(f"http://files.example/{path.replace('[', '')}", header)
        assert clean_name(name) == name
        assert "/" not in name
        assert "\\" not in name
        assert name.isprintable()
        assert name.strip() == name
        assert name.strip(".")
        assert len(name.encode()) <= NAME_LIMIT


EARLIER, LATER = "Wed, 01 Jan 2025 00:00:00 GMT", "Wed, 01 Jan 2025 00:00:01 GMT"


@pytest.mark.parametrize(
    ("etag", "modified", "date", "validator"),
    [
        ('"a"', None, None, '"a"'),
        ('"a"', EARLIER, LATER, '"a"'),
        (None, EARLIER, LATER, EARLIER),
        # The content may have changed again in the same second.
        (None, EARLIER, EARLIER, None),
        (None, LATER, EARLIER, None),
        (None, EARLIER, None, None),
        # RFC 9110, section 13.1.5: a time must not be used if there is a tag, and a weak tag must not be used at all.
        ('W/"a"', EARLIER, LATER, None),
        ("bare", EARLIER, LATER, None),
        # Characters that cannot stand in a header, or that some databases cannot store.
        *((tag, None, None, None) for tag in ('"a', '"a"b"', '"\x01"', '"\x7f"', '"\xfc"', '"\udcff"', '"a b"')),
        ('"!#~"', None, None, '"!#~"'),
        *((None, "yesterday", LATER, None), (None, EARLIER, "soon", None), (None, None, LATER, None)),
        (None, "Wed, 01 Jan 2025 00:00:00 -0000", LATER, None),
    ],
)
def test_only_a_strong_validator_is_used(
    etag: str | None, modified: str | None, date: str | None, validator: str | None
) -> None:
    assert validator_of(etag, modified, date) == validator
