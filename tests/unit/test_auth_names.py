import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.directory import names
from auth_service.directory.names import EmailUnusable, NameUnusable


def usable(text: str) -> str | None:
    try:
        return names.shown(text)
    except NameUnusable:
        return None


@given(st.text(max_size=300))
def test_an_accepted_name_can_be_stored_and_looked_up(text: str) -> None:
    shown = usable(text)
    if shown is None:
        return
    assert 1 <= len(shown) <= 255
    assert shown == shown.strip() == unicodedata.normalize("NFC", shown)
    assert "\0" not in shown
    assert shown.encode()
    assert names.shown(shown) == shown
    key = names.key(shown)
    assert 0 < len(key.encode()) <= 2048
    assert names.lookup_key(text) == names.lookup_key(shown) == key


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=50))
def test_all_unicode_forms_of_a_name_are_the_same_name(text: str) -> None:
    key = names.key(text)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert names.key(unicodedata.normalize(form, text)) == key
    assert names.key(names.key(text)) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("ＡＢＣ", "abc"),
        ("ﬁle", "FILE"),
        ("Ωmega", "ωMEGA"),
        ("é", "E\u0301"),
        ("a\u200db", "AB"),
    ],
)
def test_names_that_look_alike_have_the_same_key(one: str, other: str) -> None:
    assert names.key(one) == names.key(other)


@pytest.mark.parametrize("text", ["a\u0430", "1l", "0O"])
def test_names_with_different_letters_have_different_keys(text: str) -> None:
    assert names.key(text[0]) != names.key(text[1])


@pytest.mark.parametrize("text", ["", " ", "\0", "a\0@b.c", "x" * 321, "a\n@b", "\ud800", "\ufdfa" * 320])
def test_an_email_address_that_cannot_be_stored_is_refused(text: str) -> None:
    with pytest.raises(EmailUnusable):
        names.email(text)


def test_an_email_address_is_stored_unchanged() -> None:
    assert names.email(" Someone@Example.org ") == "Someone@Example.org"
