"""Accounts in the page: signing in, what one has sent, and addresses that would send one elsewhere."""

import secrets

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser


def register(visitor: Visitor, place: str) -> str:
    """Create an account, and come to that place."""
    name = f"ann-{secrets.token_hex(4)}"
    page = visitor.goes_to(f"/register?to={place}")
    page.get_by_label("Name").fill(name)
    page.get_by_role("textbox", name="Password").fill("a long password")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{place}")
    return name


def test_an_account_finds_what_it_sent_on_any_device(visit: Visit) -> None:
    one, other = visit(), visit()
    name = register(one, "mine")
    expect(one.page.get_by_text("What you send appears here")).to_be_visible()
    one.page.get_by_role("link", name="Send", exact=True).click()
    one.chooses(("report.pdf", b"content"))
    one.waits_until_verified(1)
    code = one.code()
    page = other.goes_to("/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_role("textbox", name="Password").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("The name or the password is wrong.").wait_for()
    page.get_by_role("textbox", name="Password").fill("a long password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=code)).to_be_visible()
    page.get_by_role("button", name="Keep for another day").click()
    expect(page.get_by_text("in 47 hr")).to_be_visible()
    page.get_by_label("Search").fill("nothing like it")
    expect(page.get_by_text("Nothing here has these words.")).to_be_visible()
    page.get_by_label("Search").fill("report")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name=code)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name=code)).to_have_count(0)


def test_who_signs_out_leaves_nothing_in_the_browser(visit: Visit) -> None:
    visitor = visit()
    page = visitor.goes_to()
    visitor.chooses(("a guest's.txt", b"content"))
    visitor.waits_until_verified(1)
    guests = visitor.code()
    register(visitor, "mine")
    page.get_by_role("link", name="Send", exact=True).click()
    visitor.chooses(("secret.txt", b"content"), ("large.bin", bytes(2_000_000)))
    visitor.waits_until_verified(2)
    code = visitor.code()
    page.get_by_role("link", name="Mine").click()
    expect(page.get_by_role("link", name=code)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name=guests)).to_be_visible()
    expect(page.get_by_role("link", name=code)).to_have_count(0)
    page.get_by_role("link", name="Send", exact=True).click()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    assert code not in page.evaluate("JSON.stringify(localStorage)")


def test_a_session_that_ends_elsewhere_ends_here(visit: Visit) -> None:
    visitor = visit()
    register(visitor, "mine")
    token = visitor.page.evaluate("JSON.parse(localStorage['waystation.session']).token")
    ended = visitor.context.request.post(f"{visitor.url}/v1/auth/logout", headers={"Authorization": f"Bearer {token}"})
    assert ended.ok
    visitor.page.reload()
    visitor.page.get_by_role("heading", name="Your session has ended").wait_for()
    visitor.page.get_by_role("button", name="Sign out").last.click()
    expect(visitor.page.get_by_role("link", name="Sign in")).to_be_visible()


def test_a_guest_finds_and_deletes_what_this_browser_sent(visit: Visit) -> None:
    visitor = visit()
    visitor.goes_to()
    visitor.chooses(("report.pdf", b"content"))
    visitor.waits_until_verified(1)
    code = visitor.code()
    visitor.page.get_by_role("link", name="Mine").click()
    visitor.page.get_by_role("button", name="Delete").click()
    expect(visitor.page.get_by_role("link", name=code)).to_have_count(0)
    visitor.page.goto("about:blank")
    visitor.goes_to("/mine")
    expect(visitor.page.get_by_text("What you send appears here")).to_be_visible()


def test_an_address_cannot_send_a_visitor_elsewhere(visit: Visit) -> None:
    visitor = visit()
    page = visitor.goes_to("/register?to=https://example.org/")
    page.get_by_label("Name").fill(f"ann-{secrets.token_hex(4)}")
    page.get_by_role("textbox", name="Password").fill("a long password")
    page.keyboard.press("Enter")
    page.wait_for_url("**/mine")
