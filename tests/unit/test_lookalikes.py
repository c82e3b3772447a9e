"""Names that look alike, and characters that nobody sees."""

import pytest

from auth_service.directory import names as account_names
from auth_service.directory.names import NameUnusable
from chat_service.filters import MessageEmpty, Texts
from chat_service.rooms import names as room_names
from chat_service.rooms.names import RoomNameUnusable
from common.lookalikes import skeleton
from common.lookalikes.scripts import mixed_scripts

UNSEEN = "\u3164\u2800\ufe0f\u034f\u115f\u17b4\u180b\U000e0100\u00ad\u200b\u2060\uffa0"


@pytest.mark.parametrize("character", UNSEEN, ids=lambda character: f"{ord(character):04X}")
def test_a_name_has_no_character_that_nobody_sees(character: str) -> None:
    for name in (character, f"Ann{character}", f"{character}Ann", f"A{character}nn"):
        with pytest.raises(NameUnusable):
            account_names.shown(name)
        with pytest.raises(RoomNameUnusable):
            room_names.shown(name)


@pytest.mark.parametrize("text", [*UNSEEN, UNSEEN, " \u200d\ufe0f\n", "\u200e"], ids=ascii)
def test_a_message_in_which_nothing_can_be_seen_is_refused(text: str) -> None:
    with pytest.raises(MessageEmpty):
        Texts().accept(text, 1000)
    assert Texts().accept(f"{text}\u2764\ufe0f", 1000) == f"{text}\u2764\ufe0f"


@pytest.mark.parametrize(
    "name", ["Ann", "Zo\u00eb \u043c\u0438\u0440", "\u0915\u094d\u200d\u0937", "\U0001f986", "a  b"]
)
def test_other_names_are_stored_as_they_are(name: str) -> None:
    assert account_names.shown(name) == room_names.shown(name) == name


# The last ones are allowed no more, but their accounts and rooms can still be found.
@pytest.mark.parametrize("name", ["\u3164", "Ann\ufe0f", "\u2800"])
def test_a_name_that_was_allowed_once_is_found(name: str) -> None:
    assert account_names.lookup_key(name) == account_names.key(name) != ""
    assert room_names.lookup_key(name) == room_names.key(name) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\u0430dmin", "admin"),
        ("paypaI", "paypal"),
        ("PAYPAL", "p\u0430ypal"),
        ("a  b", "a\u00a0b"),
        ("a\u200db", "ab"),
        ("\u0391nn", "Ann"),
        ("rnary", "mary"),
    ],
)
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Neil", "Nell"), ("Ann", "Anne"), ("\u043c\u0438\u0440", "\u043c\u0438\u043d")]
)
def test_names_that_look_different_have_different_skeletons(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@pytest.mark.parametrize(
    "name",
    ["admin", "Admin", "\u0430dmin", "\u0391D\u039cIN", "deleted account", "Deleted  Account", "adrnin", "SUPPORT"],
)
def test_reserved_names_and_those_that_look_like_them_are_reserved(name: str) -> None:
    assert account_names.is_reserved(name)
    assert not account_names.is_reserved(f"{name}s x")


@pytest.mark.parametrize(
    ("name", "scripts"),
    [
        ("admin", ()),
        ("Zo\u00eb 1", ()),
        ("\u0430dmin", ("Cyrl", "Latn")),
        ("\u041c\u0438\u0440 7 \U0001f986", ()),
        ("\u03b1\u0430a", ("Cyrl", "Grek", "Latn")),
        # Japanese and Korean are written with several; Latin letters are others.
        ("\u65e5\u672c\u306e\u30ab\u30ca", ()),
        ("\u6f22\ud55c\uae00", ()),
        ("\u65e5\u306e\ud55c", ("Hang", "Hani", "Hira")),
        ("\u65e5\u672c Club", ("Hani", "Latn")),
        # The prolonged sound mark belongs to two scripts.
        ("\u30ab\u30fc", ()),
        ("a\u30fc", ("Hira", "Kana", "Latn")),
        ("e\u0301\u200d", ()),
        ("", ()),
    ],
)
def test_a_name_tells_the_scripts_that_it_mixes(name: str, scripts: tuple[str, ...]) -> None:
    assert mixed_scripts(name) == scripts
