"""`make browser-large`: 2 GiB from the browser over a network that is cut twice, in a tab that stays small."""

import hashlib
import re
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.long]

GIB = 2**30
MIB = 2**20
SIZE = 2 * GIB
TAB_LIMIT = 200_000_000
LONG = 300_000
MEASURED = 256 * MIB


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of mostly nothing, each MiB of which differs from the others."""
    path = tmp_path / "large.bin"
    with path.open("wb") as opened:
        opened.truncate(SIZE)
        for at in range(0, SIZE, MIB):
            opened.seek(at + at // MIB % 1000)
            opened.write(at.to_bytes(8, "big"))
    return path


def digest(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def resident(process: int) -> int:
    """The bytes of a process in memory that are its own: not the program, nor the files that it has mapped."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    found = dict(re.findall(r"(RssAnon|RssShmem):\s+(\d+) kB", status))
    return 1024 * sum(map(int, found.values()))


@contextmanager
def peak_of_tab(browser: Browser) -> Generator[list[int]]:
    """Watch the largest renderer; the list has its peak in the end."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    processes = [each["id"] for each in found if each["type"] == "renderer"]
    peak, is_over = [0], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.2):
            peak[0] = max(peak[0], *(resident(process) for process in processes if Path(f"/proc/{process}").exists()))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield peak
    finally:
        is_over.set()
        watching.join()


def wait_for_percent(visitor: Visitor, percent: int) -> None:
    visitor.page.wait_for_function(
        "percent => Number(document.querySelector('[role=progressbar]')?.ariaValueNow) >= percent",
        arg=percent,
        timeout=LONG,
    )


def test_two_gibibytes_survive_two_cuts_and_the_tab_stays_small(
    visit: Visit, browser: Browser, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sender = visit()
    sender.goes_to()
    begin = time.monotonic()
    with peak_of_tab(browser) as peak:
        sender.chooses(file)
        code = sender.code()
        for percent in (20, 60):
            wait_for_percent(sender, percent)
            sender.context.set_offline(True)
            sender.page.get_by_text("continues by itself").wait_for()
            sender.context.set_offline(False)
        expect(sender.page.locator(".itemState.ready")).to_have_count(1, timeout=LONG)
    sent = time.monotonic() - begin
    [item] = sender.context.request.get(f"{sender.url}/v1/codes/{code}").json()["items"]
    assert (item["size"], item["sha256"]) == (SIZE, digest(file))
    speed = _speed_of_digests(visit, code, tmp_path)
    pace = f"{sent:.0f} s ({SIZE / sent / 1e6:.0f} MB/s)"
    with capsys.disabled():
        print(f"\n2 GiB with two cuts: {pace}, the tab at most {peak[0] / 1e6:.0f} MB")
        print(f"SHA-256 in the page: {speed:.0f} MB/s")
    assert peak[0] < TAB_LIMIT


def _speed_of_digests(visit: Visit, code: str, folder: Path) -> float:
    """The speed at which the page reads and digests a file of the device, in MB a second."""
    other = folder / "other.bin"
    with other.open("wb") as opened:
        opened.truncate(MEASURED)
    receiver = visit()
    page = receiver.goes_to(f"/c/{code}")
    begin = time.monotonic()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Check a file").click()
    chooser.value.set_files(other)
    page.get_by_text("is not what was sent here").wait_for(timeout=LONG)
    return MEASURED / 1e6 / (time.monotonic() - begin)
