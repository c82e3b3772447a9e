"""Sending and receiving, as people do it: two browsers, and a network that is not always there."""

import hashlib
import os
import time
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

KIB = 1024
MIB = 1024 * KIB
HOSTILE = [
    "<img src=x onerror=alert(1)>.png",
    "a&b <script>alert(1)</script>.txt",
    "\u202egnp.exe",
    "..",
    "con",
    "x" * 240 + ".bin",
]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def download(visitor: Visitor, name: str) -> bytes:
    """The file that the browser saves for a link of the page."""
    with visitor.page.expect_download() as started:
        visitor.page.get_by_role("link", name=name).first.click()
    return started.value.path().read_bytes()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Praça do Comércio.bin"
    path.write_bytes(os.urandom(3 * MIB + 17))
    return path


def test_a_stranger_has_a_code_at_once_and_another_the_file(
    visit: Visit, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sender, receiver = visit(), visit()
    begin = time.monotonic()
    sender.goes_to()
    sender.chooses(file)
    code = sender.code()
    had_code = time.monotonic()
    receiver.goes_to()
    receiver.page.get_by_label("Have a code?").fill(code.lower())
    receiver.page.keyboard.press("Enter")
    received = download(receiver, "Download")
    done = time.monotonic()
    assert received == file.read_bytes()
    sender.waits_until_verified(1)
    expect(sender.page.get_by_text("Everything has arrived").first).to_be_visible()
    expect(receiver.page.get_by_text(f"SHA-256 {digest(file)[:8]}")).to_be_visible()
    with capsys.disabled():
        print(
            f"\nA stranger: {had_code - begin:.1f} s and one click to a code, {done - had_code:.1f} s more to the file"
        )
    assert had_code - begin < 10
    assert done - had_code < 10


def test_the_receiver_sees_it_coming(visit: Visit, file: Path) -> None:
    sender, receiver = visit(), visit()
    sender.goes_to()
    slow = sender.slows_down(100 * KIB)
    sender.chooses(file)
    receiver.goes_to(f"/c/{sender.code()}")
    receiver.page.get_by_role("progressbar").wait_for()
    assert receiver.page.get_by_role("link", name="Download").count() == 0
    slow.detach()
    sender.slows_down(-1)
    assert download(receiver, "Download") == file.read_bytes()


def test_names_and_texts_that_would_be_programs_are_text(visit: Visit) -> None:
    sender, receiver = visit(), visit()
    sender.goes_to()
    sender.chooses(*((name, name.encode()) for name in HOSTILE))
    receiver.goes_to(f"/c/{sender.code()}")
    sender.waits_until_verified(len(HOSTILE))
    for visitor in (sender, receiver):
        visitor.page.get_by_text("<img src=x onerror=alert(1)>.png").first.wait_for()
        # The preview of what is called a picture is one, until the browser finds that its content is none.
        assert visitor.page.locator("main img:not(.preview img), main script").count() == 0
        expect(visitor.page.locator("li.item")).to_have_count(len(HOSTILE))
    assert download(receiver, f"Download {HOSTILE[0]}") == HOSTILE[0].encode()


def test_a_text_is_pasted_sent_and_read(visit: Visit) -> None:
    text = "<b>not bold</b> & 你好\n\nhttps://example.org"
    sender, receiver = visit(), visit()
    page = sender.goes_to()
    page.evaluate(
        """text => { const data = new DataTransfer(); data.setData('text/plain', text)
        window.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true })) }""",
        text,
    )
    assert page.get_by_label("Your text").input_value() == text
    page.get_by_role("button", name="Send text").click()
    receiver.goes_to(f"/c/{sender.code()}")
    assert receiver.page.locator("pre").inner_text() == text


def test_a_password_is_asked_for(visit: Visit) -> None:
    sender, receiver = visit(), visit()
    page = sender.goes_to()
    page.get_by_role("button", name="Change").click()
    page.get_by_role("textbox", name="Password").fill("schlüssel 密")
    sender.chooses(("secret.txt", b"secret"))
    page = receiver.goes_to(f"/c/{sender.code()}")
    assert page.get_by_text("secret.txt").count() == 0
    page.get_by_role("textbox", name="Password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("That is not the password.").wait_for()
    page.get_by_role("textbox", name="Password").fill("schlüssel 密")
    page.keyboard.press("Enter")
    page.locator("h1", has_text="secret.txt").wait_for()
    assert download(receiver, "Download") == b"secret"


def test_a_reload_in_the_middle_loses_nothing(visit: Visit, file: Path) -> None:
    sender, receiver = visit(), visit()
    sender.goes_to()
    slow = sender.slows_down(100 * KIB)
    small = file.with_name("small.txt")
    small.write_bytes(b"small")
    sender.chooses(file, small)
    code = sender.code()
    expect(sender.page.get_by_role("progressbar").first).not_to_have_attribute("aria-valuenow", "0")
    sender.page.reload()
    sender.page.get_by_text("Choose it again").or_(sender.page.get_by_text("Choose them again")).wait_for()
    assert sender.code() == code
    slow.detach()
    sender.slows_down(-1)
    with sender.page.expect_file_chooser() as chooser:
        sender.page.get_by_role("button", name="Choose again").click()
    chooser.value.set_files([file, small])
    sender.waits_until_verified(2)
    receiver.goes_to(f"/c/{code}")
    assert download(receiver, f"Download {file.name}") == file.read_bytes()


def test_a_network_that_is_cut_is_waited_for(visit: Visit, file: Path) -> None:
    sender, receiver = visit(), visit()
    sender.goes_to()
    sender.slows_down(600 * KIB).detach()
    slow = sender.slows_down(600 * KIB)
    sender.chooses(file)
    sender.page.get_by_role("progressbar").wait_for()
    sender.context.set_offline(True)
    sender.page.get_by_text("continues by itself").wait_for()
    sender.context.set_offline(False)
    slow.detach()
    sender.slows_down(-1)
    sender.waits_until_verified(1)
    receiver.goes_to(f"/c/{sender.code()}")
    assert download(receiver, "Download") == file.read_bytes()


def test_leaving_in_the_middle_asks_first(visit: Visit, file: Path) -> None:
    sender = visit()
    page = sender.goes_to()
    sender.slows_down(100 * KIB)
    sender.chooses(file)
    page.get_by_role("progressbar").wait_for()
    page.mouse.click(5, 5)
    with page.expect_event("load"), page.expect_event("dialog") as asked:
        page.evaluate("setTimeout(() => location.reload())")
    assert asked.value.type == "beforeunload"


def test_a_deletion_can_be_undone_and_then_holds(visit: Visit) -> None:
    sender, receiver = visit(), visit()
    page = sender.goes_to()
    sender.chooses(("a.txt", b"content"))
    sender.waits_until_verified(1)
    code = sender.code()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").click()
    assert sender.code() == code
    page.get_by_role("button", name="Delete").click()
    # Whoever goes away does not wait for the end of these seconds.
    page.goto("about:blank")
    sender.page.goto(sender.url)
    receiver.goes_to(f"/c/{code}")
    receiver.page.get_by_role("heading", name="Nothing is behind this code").or_(
        receiver.page.get_by_role("heading", name="This has ended")
    ).wait_for()


def test_what_cannot_be_sent_is_told_before_it_is_tried(visit: Visit) -> None:
    sender = visit()
    page = sender.goes_to()
    sender.chooses(*((f"{number}.txt", b"") for number in range(1001)))
    page.get_by_text("One code can hold 1000 files at most.").wait_for()
    page.get_by_label("Have a code?").fill("no/code")
    page.keyboard.press("Enter")
    page.get_by_text("A code has letters and digits only.").wait_for()


def test_several_files_come_as_one_archive(visit: Visit) -> None:
    sender, receiver = visit(), visit()
    sender.goes_to()
    sender.chooses(("one.txt", b"one"), ("two.txt", b"two" * 1000), ("one.txt", b"another one"))
    sender.waits_until_verified(3)
    receiver.goes_to(f"/c/{sender.code()}")
    receiver.page.get_by_role("heading", name="one.txt and 2 more").wait_for()
    with ZipFile(BytesIO(download(receiver, "Download all"))) as archive:
        assert archive.testzip() is None
        contents = {archive.read(entry) for entry in archive.namelist()}
    assert {b"one", b"two" * 1000, b"another one"} < contents
