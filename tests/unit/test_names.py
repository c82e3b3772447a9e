"""The names of files, cleaned where they enter."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.downloads import NAME_LIMIT
from common.errors import InvalidInput
from common.names import SENT_LIMIT, UNNAMED, clean_name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/x.txt", "x.txt"),
        ("/etc/passwd", "passwd"),
        ("C:\\Windows\\system32\\a.dll", "a.dll"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("mixed/..\\a.txt", "a.txt"),
        ("a\r\nSet-Cookie: x=1", "a  Set-Cookie: x=1"),
        ("a\tb\x01\x7f\x9b.txt", "a b.txt"),
        ("line\u2028paragraph\u2029.txt", "line paragraph .txt"),
        *((sent, UNNAMED) for sent in (".", "..", "a/..", "folder/", "\\", " ", ". .", "\x01", "..\x07", "a/ ..")),
    ],
)
def test_a_name_is_the_last_component_without_control_characters(sent: str, kept: str) -> None:
    assert clean_name(sent) == kept


@pytest.mark.parametrize(
    "name",
    [
        *("report.pdf", "报告.pdf", "e\u0301.txt", "é.txt", "😀" * 60, "\u202egpj.exe", "a\u200fb.txt"),
        *(" spaced  out .txt ", "trailing.", ".hidden", "a..b", "...x", "con.txt", "NUL", "a:b", "a*?.txt"),
        *("%2e%2e%2f", "%00", "<img src=x>.html", "a\"b'c.txt", "a;filename=b.txt"),
    ],
)
def test_everything_else_stays_as_it_was_sent(name: str) -> None:
    assert clean_name(name) == name


def test_a_long_name_keeps_its_extension() -> None:
    assert clean_name("n" * 5000 + ".tar") == "n" * (NAME_LIMIT - 4) + ".tar"


@pytest.mark.parametrize("sent", ["", "a\0b", "\ud800", "x" * (SENT_LIMIT + 1), "😀" * (SENT_LIMIT // 4 + 1)])
def test_a_name_that_cannot_be_kept_is_refused(sent: str) -> None:
    with pytest.raises(InvalidInput):
        clean_name(sent)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=400))
@example("../" * 100)
@example("\x85..")
def test_any_name_joins_to_a_folder_safely(sent: str) -> None:
    name = clean_name(sent)
    assert not set(name) & set("/\\\0\r\n\x85\u2028")
    assert name.strip(" .")
    assert len(name.encode()) <= NAME_LIMIT
    assert clean_name(name) == name
