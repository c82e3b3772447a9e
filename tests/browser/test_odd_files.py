"""Files as they come: a thousand at once, folders with nothing in them, and files that change or vanish meanwhile."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

KIB = 1024
MANY = 1000
DROP_MANY = """(count) => { const data = new DataTransfer()
  for (let at = 0; at < count; at++) data.items.add(new File(['x'.repeat(at % 7)], `folder/${at}.txt`))
  dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })) }"""

NONE_READY = """async (path) => { const { items } = await (await fetch(path)).json()
  return !(items ?? []).some(({ state }) => state === 'ready') }"""


def drops(visitor: Visitor, *paths: Path) -> None:
    """Drop files and folders of the device on the page."""
    session = visitor.context.new_cdp_session(visitor.page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


def test_a_thousand_files_have_a_code_at_once(visit: Visit) -> None:
    visitor = visit()
    page = visitor.goes_to()
    page.evaluate(DROP_MANY, MANY)
    code = visitor.code()
    expect(page.locator("li.item")).to_have_count(MANY)
    expect(page.locator(".itemState.ready").nth(20)).to_be_visible()
    # The page still answers while it sends.
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Continue").wait_for()
    found = visitor.context.request.get(f"{visitor.url}/v1/codes/{code}").json()["items"]
    assert [item["size"] for item in found] == [at % 7 for at in range(MANY)]


def test_folders_are_taken_whole_and_one_with_nothing_in_it_says_so(visit: Visit, tmp_path: Path) -> None:
    visitor = visit()
    page = visitor.goes_to()
    empty, full = tmp_path / "empty", tmp_path / "photos"
    (empty / "inner").mkdir(parents=True)
    drops(visitor, empty)
    expect(page.get_by_text("There are no files in it.")).to_be_visible()
    (full / "2026").mkdir(parents=True)
    (full / "a.jpg").write_bytes(b"a")
    (full / "2026" / "b.jpg").write_bytes(b"b")
    drops(visitor, full)
    visitor.waits_until_verified(2)
    assert sorted(page.locator(".itemName").all_inner_texts()) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (lambda path: path.write_bytes(os.urandom(900 * KIB)), "The file changed while it was sent"),
        (lambda path: path.unlink(), "The file"),
    ],
    ids=["changed", "removed"],
)
def test_a_file_that_is_not_what_it_was_is_never_taken_for_whole(
    visit: Visit, tmp_path: Path, meanwhile: object, words: str
) -> None:
    visitor = visit()
    page = visitor.goes_to()
    path = tmp_path / "report.bin"
    path.write_bytes(os.urandom(900 * KIB))
    visitor.slows_down(200 * KIB)
    visitor.chooses(path)
    expect(page.get_by_role("progressbar")).not_to_have_attribute("aria-valuenow", "0")
    assert callable(meanwhile)
    meanwhile(path)
    expect(page.locator("li.item .figures")).to_contain_text(words)
    expect(page.locator(".itemState.failed")).to_be_visible()
    page.wait_for_function(NONE_READY, arg=f"/v1/codes/{visitor.code()}")
