"""The HTML of file pages: its content, and the escaping of names and other texts in it."""

import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from share_service.pages import style
from share_service.pages.documents import notice_document, page_document, password_document
from share_service.pages.markup import Html, filled, shown
from share_service.pages.model import Mirror, Page, web_url
from share_service.pages.words import CHINESE, ENGLISH, LANGUAGES, Words
from share_service.shares.model import EndedFor, is_code, is_link, is_slug
from tests.unit.test_share_expiry import share

SLUG = "abc0123456xy"
SHA256 = "ab" * 32
MOMENT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "</title></style><script>",
    "$title ${content} %s {name}",
    "&lt;b&gt;",
    "<!--",
    "photo\u202egnp.exe",
    "a\u2066b\u2069c\r\nd",
]
VERIFIED = Mirror(1, "first", "verified", "https://one.example/f", 100)


class Reader(HTMLParser):
    """Reads a document as a browser would: its elements with their attributes, and its text by element."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements = list[tuple[str, dict[str, str | None]]]()
        self.texts = list[tuple[str, str]]()
        self.open = [""]
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1], data))

    def text_of(self, tag: str) -> str:
        return "".join(text for within, text in self.texts if within == tag)

    def all_of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(name: str = "a.bin", size: int = 100, *mirrors: Mirror) -> Page:
    shared = share(kind="page", code=SLUG, name=name, size=size)
    return Page(shared, "ready", SHA256, None, list(mirrors))


def read(subject: Page, words: Words = ENGLISH) -> Reader:
    return Reader(page_document(words, subject, f"/m/{SLUG}/download"))


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_escaped_everywhere(name: str) -> None:
    mirror = Mirror(1, name, "verified", "https://one.example/?a=1&b='", 100)
    found, plain = read(page(name, 100, mirror)), read(page("x", 100, replace(mirror, name="y")))
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in plain.elements]
    assert found.text_of("title") == shown(name)
    assert found.text_of("bdi") == shown(name) * 2
    assert found.all_of("a")[1]["href"] == mirror.url


@given(st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=60))
def test_no_name_changes_the_elements_of_a_page(name: str) -> None:
    assert [tag for tag, _ in read(page(name, 1, VERIFIED)).elements] == [
        tag for tag, _ in read(page("x", 1, VERIFIED)).elements
    ]


def test_characters_that_change_the_writing_direction_are_replaced() -> None:
    assert shown("photo\u202egnp.exe") == "photo\ufffdgnp.exe"
    assert shown("a\nb\x00c\u2028d\u061c") == "a\ufffdb\ufffdc\ufffdd\ufffd"
    assert shown("عربي ☂ é 👩‍🚀") == "عربي ☂ é 👩‍🚀"


def test_only_markup_is_inserted_unescaped() -> None:
    assert filled("<p>$a$b</p>", a="<&\"'$b", b=Html("<br>")) == "<p>&lt;&amp;&quot;&#x27;$b<br></p>"


def test_a_page_is_complete_and_accessible() -> None:
    copying = Mirror(2, "second", "copying", None, 45)
    found = read(page("a.bin", 100, VERIFIED, copying, Mirror(3, "third", "queued", None, 0)))
    assert found.all_of("html") == [{"lang": "en"}]
    assert found.text_of("title") == "a.bin"
    assert found.text_of("code") == SHA256
    assert "100 bytes" in found.text_of("dd")
    assert found.text_of("td") == "copied and verifiedbeing copied, 45 %nonewaitingnone"
    assert [attributes.get("scope") for attributes in found.all_of("th")] == ["col"] * 3 + ["row"] * 3
    assert found.all_of("a") == [
        {"class": "button", "href": f"/m/{SLUG}/download"},
        {"href": VERIFIED.url, "rel": "noopener noreferrer nofollow"},
    ]
    assert found.text_of("a") == "Downloadone.example"
    assert not found.all_of("script") + found.all_of("link") + found.all_of("img") + found.all_of("form")


def test_a_page_without_mirrors_has_no_table() -> None:
    assert not read(page()).all_of("table")


def test_a_file_that_cannot_be_downloaded_has_no_button() -> None:
    for state, says in (("pending", "being verified"), ("corrupt", "did not arrive whole")):
        found = read(replace(page(), file_state=state, sha256=None))
        assert not found.all_of("a")
        assert says in found.text_of("p")
        assert "not verified yet" in found.text_of("dd")


def test_the_password_form_has_a_label_and_shows_the_error() -> None:
    for message in ("", "no <b>"):
        found = Reader(password_document(ENGLISH, SLUG, message))
        assert found.all_of("form") == [{"method": "post", "action": f"/m/{SLUG}"}]
        field = found.all_of("input")[0]
        assert (field["id"], field["name"], field["type"]) == ("password", "password", "password")
        assert found.all_of("label") == [{"for": "password"}]
        assert found.text_of("p").strip() == message
        assert field.get("aria-describedby") == ("message" if message else None)


def test_a_notice_links_to_the_page_if_there_is_one_and_else_to_the_front_page() -> None:
    assert Reader(notice_document(ENGLISH, ("Title", "Text"))).all_of("a") == [{"href": "/"}]
    assert Reader(notice_document(ENGLISH, ("Title", "<b>"), SLUG)).all_of("a") == [{"href": f"/m/{SLUG}"}]


def test_the_style_is_allowed_by_the_content_security_policy() -> None:
    assert Reader(page_document(ENGLISH, page(), "/")).text_of("style") == style.STYLE
    policy = style.HEADERS["Content-Security-Policy"]
    for part in ("default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert "url(" not in style.STYLE
    assert "@import" not in style.STYLE


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1,023 bytes"),
        (1024, "1.0 KiB (1,024 bytes)"),
        (1_048_575, "1.0 MiB (1,048,575 bytes)"),
        (1_572_864, "1.5 MiB (1,572,864 bytes)"),
        (10 * 1024**3, "10.0 GiB (10,737,418,240 bytes)"),
        (5000 * 1024**4, "5000.0 TiB (5,497,558,138,880,000 bytes)"),
    ],
)
def test_sizes_are_shown_rounded_and_exactly(size: int, text: str) -> None:
    assert ENGLISH.size_text(size) == text


@pytest.mark.parametrize(
    ("expires_at", "uses", "text"),
    [
        (None, None, "not by itself"),
        (None, 1, "after 1 more download"),
        (None, 1200, "after 1,200 more downloads"),
        (MOMENT, None, "2026-03-01 12:30 UTC"),
        (MOMENT, 2, "2026-03-01 12:30 UTC, or after 2 more downloads"),
    ],
)
def test_a_page_shows_when_it_ends(expires_at: datetime | None, uses: int | None, text: str) -> None:
    assert ENGLISH.end_text(expires_at, uses) == text


@pytest.mark.parametrize(
    ("state", "done", "size", "text"),
    [
        ("queued", 0, 10, "waiting"),
        ("copying", 0, 0, "being copied, 0 %"),
        ("copying", 999, 1000, "being copied, 99 %"),
        ("copying", 1001, 1000, "being copied, 100 %"),
        ("verified", 10, 10, "copied and verified"),
        ("failed", 3, 10, "failed, will be tried again"),
    ],
)
def test_the_state_of_a_mirror_is_shown_in_words(state: str, done: int, size: int, text: str) -> None:
    assert ENGLISH.mirror_text(Mirror(1, "a", state, None, done), size) == text  # type: ignore[arg-type]


def test_every_reason_for_an_end_has_its_own_text_in_every_language() -> None:
    reasons: list[EndedFor | None] = ["owner", "administrator", "copyright", None]
    assert len({words.endings[reason] for words in LANGUAGES.values() for reason in reasons}) == 8


def test_all_languages_say_everything_and_with_the_same_values() -> None:
    for field in fields(Words):
        english, chinese = (str(getattr(words, field.name)) for words in (ENGLISH, CHINESE))
        assert english != chinese
        assert len(english) > 0 < len(chinese)
        assert set(re.findall(r"{\w+", english)) == set(re.findall(r"{\w+", chinese))


def test_a_page_in_another_language_says_nothing_in_english() -> None:
    copying = Mirror(2, "二", "copying", None, 45)
    subject = page("文件", 2000, replace(VERIFIED, name="一"), copying)
    for state in ("ready", "pending", "corrupt"):
        found = read(replace(subject, file_state=state, sha256=None), CHINESE)
        assert found.all_of("html") == [{"lang": "zh-CN"}]
        said = "".join(text for within, text in found.texts if within != "style")
        assert set(re.findall("[A-Za-z]{2,}", said)) == {"SHA", "KiB", "UTC", "one", "example"}
    asked = Reader(password_document(CHINESE, SLUG, CHINESE.ask_again))
    assert not re.search("[A-Za-z]{2}", "".join(text for within, text in asked.texts if within != "style"))


@pytest.mark.parametrize(
    "url", ["https://a.example/f%20x?y=1#z", "http://127.0.0.1:81/", "HTTPS://A/", "http://[::1]/"]
)
def test_web_addresses_become_links(url: str) -> None:
    assert web_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None, "", "javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "ftp://a.example/f",
        "sftp://a.example/f", "//a.example/f", "/f", "https:///f", "https://", "https:a", "http://[::1/", " https://a/",
        "https://a/ b", "https://a\t/", "https://a/\u202e", "\x01https://a/", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_other_addresses_do_not_become_links(url: str | None) -> None:
    assert web_url(url) is None


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=12, max_size=12))
def test_a_slug_is_neither_a_link_nor_a_code(slug: str) -> None:
    assert is_slug(slug)
    assert not is_link(slug)
    assert not is_code(slug)


@pytest.mark.parametrize(
    "text",
    ["", "abc0123456x", "abc0123456xyz", "ABC0123456XY", "abc0123456x\n", "abc0123456xé", "abc0123456-y", "\0" * 12],
)
def test_any_other_text_is_no_slug(text: str) -> None:
    assert not is_slug(text)
