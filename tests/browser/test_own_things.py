"""What belongs to an account in the page: shares, drop-offs, fetches, files and mirrors."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.test_accounts import register
from tests.browser.test_looks import findings, overflow
from tests.browser.test_own_account import PHONE

pytestmark = pytest.mark.browser

CLOSED = "async (path) => (await fetch(path)).status >= 400"
HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.svg"


def test_shares_are_changed_one_by_one_and_together(visit: Visit) -> None:
    visitor, other = visit(), visit()
    register(visitor, "mine")
    page = visitor.page
    for name in ("one.txt", HOSTILE):
        page.get_by_role("link", name="Send", exact=True).click()
        visitor.chooses((name, b"content"))
        visitor.waits_until_verified(1)
        page.get_by_role("button", name="Send something else").click()
    page.get_by_role("link", name="Mine").click()
    page.get_by_role("button", name="Edit").last.click()
    page.get_by_label("Title").fill("A film")
    page.get_by_label("Code", exact=True).fill("Film-Night")
    page.get_by_label("Downloads left").fill("3")
    page.get_by_label("Password", exact=True).fill("secret")
    assert findings(visitor) == []
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Film-Night").wait_for()
    page.get_by_text("3 downloads left").wait_for()
    other.goes_to("/c/film-night").get_by_role("heading", name="This is protected by a password").wait_for()
    page.get_by_role("button", name="Edit").last.click()
    page.get_by_role("button", name="Another code").click()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("link", name="Film-Night")).to_have_count(0)
    page.get_by_role("button", name="Select several").click()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="Keep 7 days longer").click()
    expect(page.get_by_text("in 7 days")).to_have_count(2)
    page.get_by_role("button", name="Delete").first.click()
    page.get_by_text("2 are deleted.").wait_for()
    page.get_by_role("link", name="Files").click()
    page.get_by_text("<img src=x onerror=alert(1)>").first.wait_for()
    assert findings(visitor) == []


def test_anybody_sends_to_a_drop_off(visit: Visit) -> None:
    owner, sender = visit(), visit(**PHONE)
    register(owner, "mine")
    page = owner.page
    page.get_by_role("link", name="Drop-offs").click()
    page.get_by_role("button", name="New drop-off").click()
    page.get_by_label("Title").fill("Homework <script>")
    page.get_by_label("Greeting").fill("Please send it by Friday.")
    page.get_by_label("Bytes, at most").fill("much")
    expect(page.get_by_role("button", name="Make it")).to_be_disabled()
    page.get_by_label("Bytes, at most").fill("1 MB")
    page.get_by_label("Only these types").fill("txt, pdf")
    assert findings(owner) == []
    page.get_by_role("button", name="Make it").click()
    address = page.locator(".shareCode").get_attribute("href")
    assert address is not None
    there = sender.goes_to(address.removeprefix(owner.url))
    there.get_by_text("Please send it by Friday.").wait_for()
    assert overflow(sender) <= 0
    assert findings(sender) == []
    sender.chooses(("film.mp4", b"content"))
    there.get_by_text("is not of a type that is taken here").wait_for()
    sender.chooses(("large.txt", b"1" * 1_000_001))
    there.get_by_text("These are more than 1 MB").wait_for()
    there.get_by_label("A word with it").fill("From Ann")
    sender.chooses(("work.txt", b"content"))
    there.get_by_role("heading", name="Thank you, it has arrived").wait_for()
    assert findings(sender) == []
    there.reload()
    there.get_by_role("button", name="Choose files").wait_for()
    page.reload()
    page.get_by_role("button", name="What came").click()
    page.get_by_text("work.txt — From Ann").wait_for()
    page.get_by_role("button", name="Close", exact=True).click()
    page.goto("about:blank")
    page.goto(owner.url)
    # The page that went away asked for it last. This one hears of it only when it is loaded again.
    there.wait_for_function(CLOSED, arg=f"/v1/drops/{address.rpartition('/')[2]}")
    there.reload()
    there.get_by_role("heading", name="This drop-off is closed").wait_for()
    sender.goes_to("/d/NOTHING0").get_by_role("heading", name="There is no such drop-off").wait_for()


def test_what_is_sent_to_a_drop_off_again_after_a_lost_answer_comes_once(visit: Visit) -> None:
    owner, sender = visit(), visit()
    register(owner, "mine")
    token = owner.page.evaluate("JSON.parse(localStorage['waystation.session']).token")
    headers = {"Authorization": f"Bearer {token}"}
    made = owner.context.request.post(f"{owner.url}/v1/drops", data={"title": "Homework"}, headers=headers)
    code = made.json()["code"]
    page = sender.goes_to(f"/d/{code}")

    def lose(route: Route) -> None:
        assert route.fetch().ok
        route.abort()

    page.route("**/v1/drops/*/shares", lose)
    sender.chooses(("work.txt", b"content"))
    page.get_by_role("alert").wait_for()
    page.unroute("**/v1/drops/*/shares")
    sender.chooses(("work.txt", b"content"))
    page.get_by_role("heading", name="Thank you, it has arrived").wait_for()
    came = owner.context.request.get(f"{owner.url}/v1/drops/{code}/shares", headers=headers)
    assert len(came.json()["shares"]) == 1


def test_notices_and_webhooks_are_added_tried_and_deleted(visit: Visit) -> None:
    visitor = visit(**PHONE)
    register(visitor, "mine")
    page = visitor.page
    page.get_by_role("link", name="Notices").click()
    calls = page.locator("section", has=page.get_by_role("heading", name="Calls to a program"))
    calls.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    calls.get_by_label("a file has arrived").check()
    calls.get_by_role("button", name="Add").click()
    row = calls.get_by_role("listitem")
    expect(row).to_contain_text("127.0.0.1:9/hook")
    expect(row).to_contain_text("a file has arrived")
    row.get_by_role("button", name="Try it out").click()
    # A private address is never called, and its owner is told.
    expect(row.locator(".hookWrong")).to_be_visible()
    row.get_by_text("Secret of the signatures").first.click()
    expect(row.get_by_role("textbox", name="Secret of the signatures")).to_contain_text("whsec_")
    assert overflow(visitor) <= 0
    assert findings(visitor) == []
    row.get_by_role("button", name="Delete").click()
    row.get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    messages = page.locator("section", has=page.get_by_role("heading", name="Messages to you"))
    messages.get_by_label("Address").fill("nonsense")
    messages.get_by_role("button", name="Add").click()
    messages.get_by_role("alert").wait_for()
    expect(messages.get_by_label("Address")).to_have_value("nonsense")


def test_the_server_fetches_what_it_is_told(visit: Visit) -> None:
    visitor = visit()
    register(visitor, "mine")
    page = visitor.page
    page.get_by_role("link", name="Fetches").click()
    page.get_by_label("Address of a file").fill("ftp://example.org/file")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    page.get_by_label("Address of a file").fill(f"{visitor.url}/favicon.svg")
    page.keyboard.press("Enter")
    row = page.get_by_role("listitem").filter(has_text="favicon.svg")
    expect(row.locator("a.code")).to_be_visible()
    assert findings(visitor) == []
    row.locator("a.code").click()
    page.get_by_role("heading", name="favicon.svg").wait_for()
