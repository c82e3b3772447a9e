"""The page for everybody: small screens, keyboards, screen readers, slow lines, and both languages."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from deploy.page import WEB
from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
BUDGET = 200_000
FINDINGS = """async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | '))"""
SCHEMES: list[dict[str, Any]] = [{"color_scheme": "light"}, {"color_scheme": "dark"}]


def findings(visitor: Visitor) -> list[str]:
    """The serious findings of axe."""
    visitor.page.evaluate(AXE.read_text(encoding="utf-8"))
    return visitor.page.evaluate(FINDINGS)


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
def test_axe_finds_nothing_serious(visit: Visit, scheme: dict[str, Any]) -> None:
    visitor = visit(**scheme, reduced_motion="reduce")
    page = visitor.goes_to()
    page.get_by_role("button", name="Change").click()
    assert findings(visitor) == []
    visitor.chooses(("one.txt", b"1"), ("two.pdf", b"2"))
    visitor.waits_until_verified(2)
    assert findings(visitor) == []
    visitor.goes_to(f"/c/{visitor.code()}")
    assert findings(visitor) == []
    visitor.goes_to("/c/NOTHING0")
    assert findings(visitor) == []


def test_the_first_page_is_small_and_stands_still(visit: Visit, capsys: pytest.CaptureFixture[str]) -> None:
    visitor = visit()
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    visitor.page.add_init_script(
        """window.shift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries())
        if (!entry.hadRecentInput) window.shift += entry.value }).observe({ type: 'layout-shift', buffered: true })"""
    )
    page = visitor.goes_to()
    page.wait_for_load_state("networkidle")
    shift = page.evaluate("window.shift")
    with capsys.disabled():
        print(f"\nThe first page: {sum(sizes) / 1000:.0f} kB in {len(sizes)} answers, layout shift {shift:.3f}")
    assert sum(sizes) <= BUDGET
    assert shift <= 0.05


@pytest.mark.parametrize("width", [320, 390, 3840])
def test_nothing_is_wider_than_the_screen(visit: Visit, width: int) -> None:
    visitor = visit(viewport={"width": width, "height": 720}, has_touch=width < 400, is_mobile=width < 400)
    page = visitor.goes_to()
    page.get_by_role("button", name="Change").click()
    assert overflow(visitor) <= 0
    visitor.chooses(("a very long name without a place to break it ".replace(" ", "_") * 4 + ".bin", b"1" * 2000))
    visitor.waits_until_verified(1)
    assert overflow(visitor) <= 0
    visitor.goes_to(f"/c/{visitor.code()}")
    assert overflow(visitor) <= 0


def overflow(visitor: Visitor) -> int:
    return visitor.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_a_keyboard_is_enough(visit: Visit, tmp_path: Path) -> None:
    sender, receiver = visit(), visit()
    page = sender.goes_to()
    reach(sender, "Write text")
    page.keyboard.press("Enter")
    page.keyboard.type("typed")
    page.keyboard.press("Control+Enter")
    code = sender.code()
    page = receiver.goes_to()
    reach_field(receiver, "code")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    page.locator("pre", has_text="typed").wait_for()
    reach(receiver, "Copy text")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def reach(visitor: Visitor, name: str, most: int = 25) -> None:
    """Press Tab until something with this name has the focus."""
    for _ in range(most):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate("document.activeElement.textContent").strip() == name:
            return
    pytest.fail(f"the keyboard does not reach {name}")


def reach_field(visitor: Visitor, identity: str) -> None:
    for _ in range(25):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate("document.activeElement.id") == identity:
            return
    pytest.fail(f"the keyboard does not reach {identity}")


def test_the_page_speaks_the_browsers_language_and_another_if_asked(visit: Visit) -> None:
    visitor = visit(locale="zh-CN")
    page = visitor.goes_to()
    page.get_by_role("button", name="选择文件", exact=True).wait_for()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="Choose files").wait_for()
    page.reload()
    page.get_by_role("button", name="Choose files").wait_for()


def test_a_clock_that_is_a_day_wrong_does_not_matter(visit: Visit) -> None:
    visitor = visit()
    visitor.page.clock.install(time="2030-01-01T00:00:00Z")
    visitor.page.clock.resume()
    visitor.goes_to()
    visitor.chooses(("a.txt", b"content"))
    visitor.page.get_by_text("in 23").or_(visitor.page.get_by_text("in 24")).first.wait_for()


def test_a_second_click_takes_the_dark_back(visit: Visit) -> None:
    visitor = visit(color_scheme="dark")
    page = visitor.goes_to()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Light").click()
    expect(page.locator("body")).not_to_have_css("background-color", dark)
    page.reload()
    page.get_by_role("button", name="Dark").wait_for()
