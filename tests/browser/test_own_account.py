"""One's own account in the page: devices, keys, programs, the password, and the end of it."""

import json
import secrets
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.test_accounts import register
from tests.browser.test_looks import findings, overflow

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True}


def sign_in(visitor: Visitor, name: str, password: str, place: str = "mine") -> None:
    page = visitor.goes_to(f"/sign-in?to={place}")
    page.get_by_label("Name").fill(name)
    page.get_by_role("textbox", name="Password").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{place}")


def token_of(visitor: Visitor) -> str:
    return visitor.page.evaluate("JSON.parse(localStorage['waystation.session']).token")


def end_session(visitor: Visitor) -> None:
    """What somebody does who ends it from another device."""
    headers = {"Authorization": f"Bearer {token_of(visitor)}"}
    assert visitor.context.request.post(f"{visitor.url}/v1/auth/logout", headers=headers).ok


def test_an_account_is_kept_in_order(visit: Visit, tmp_path: Path) -> None:
    one, other = visit(**PHONE), visit()
    name = register(one, "mine")
    sign_in(other, name, "a long password")
    page = one.page
    page.get_by_role("link", name="Account").click()
    # Keys are shown once, and are what a new password leaves.
    page.get_by_label("Name of a new key").fill("<b>phone</b>")
    page.keyboard.press("Enter")
    key = page.get_by_role("textbox", name="Key", exact=True).inner_text()
    secret = page.get_by_role("textbox", name="Secret").inner_text()
    answer = one.context.request.get(f"{one.url}/v1/account", headers={"Authorization": "Basic " + _basic(key, secret)})
    assert answer.ok
    page.get_by_role("button", name="I have them").click()
    expect(page.get_by_text(secret)).to_have_count(0)
    # The line for a terminal works as it is pasted.
    page.get_by_role("button", name="Make a line").click()
    line = page.get_by_role("textbox", name="curl").inner_text()
    (tmp_path / "sent.txt").write_text("sent by curl")
    sent = subprocess.run(
        line.replace("FILE", str(tmp_path / "sent.txt")), shell=True, capture_output=True, check=True, timeout=20
    )
    assert b"file_url" in sent.stdout
    with page.expect_download() as started:
        page.get_by_role("button", name="Save file").click()
    assert json.loads(started.value.path().read_text())["RequestMethod"] == "POST"
    page.get_by_role("button", name="Make a token").click()
    page.get_by_label("Your password").fill("a long password")
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Token for a bot").wait_for()
    assert findings(one) == []
    assert overflow(one) <= 0
    # One device less, and then all others.
    page.get_by_role("button", name="Sign out curl").click()
    expect(page.get_by_role("button", name="Sign out curl")).to_have_count(0)
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_role("button", name="Sign out everywhere else")).to_have_count(0)
    other.page.reload()
    other.page.get_by_role("heading", name="Your session has ended").wait_for()
    # A wrong password is no end of the session.
    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password").fill("another password")
    page.get_by_role("button", name="Change password").click()
    page.get_by_text("The current password is wrong.").wait_for()
    page.get_by_label("Current password").fill("a long password")
    page.get_by_role("button", name="Change password").click()
    page.get_by_text("This key is still accepted:").wait_for()
    page.get_by_role("button", name="Revoke it too").click()
    expect(page.get_by_role("button", name="Revoke <b>phone</b>")).to_have_count(0)


def _basic(user: str, password: str) -> str:
    from base64 import b64encode

    return b64encode(f"{user}:{password}".encode()).decode()


def test_what_was_typed_outlives_the_session(visit: Visit) -> None:
    visitor = visit()
    name = register(visitor, "mine")
    page = visitor.page
    page.get_by_role("link", name="Drop-offs").click()
    page.get_by_role("button", name="New drop-off").click()
    page.get_by_label("Title").fill("Homework")
    end_session(visitor)
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("heading", name="Your session has ended").wait_for()
    # This one cannot be closed, not even by two of these.
    for _ in range(3):
        page.keyboard.press("Escape")
    page.get_by_label(f"Password of {name}").fill("a long password")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title")).to_have_value("Homework")
    page.get_by_role("button", name="Make it").click()
    page.get_by_text("nothing came yet").wait_for()


def test_an_account_goes_with_everything(visit: Visit) -> None:
    visitor = visit()
    name = register(visitor, "mine/account".removesuffix("/account"))
    page = visitor.page
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Rename").wait_for()
    page.get_by_role("textbox", name="Name", exact=True).fill(f"{name}-{secrets.token_hex(2)}")
    page.get_by_role("button", name="Rename").click()
    page.get_by_text("You have a new name.").wait_for()
    renamed = page.get_by_role("textbox", name="Name", exact=True).input_value()
    page.get_by_role("button", name="Delete account…").click()
    page.get_by_label(f"Write “{renamed}” to confirm").fill(name)
    page.get_by_label("Your password").last.fill("a long password")
    expect(page.get_by_role("button", name="Delete everything")).to_be_disabled()
    page.get_by_label(f"Write “{renamed}” to confirm").fill(renamed)
    page.get_by_role("button", name="Delete everything").click()
    page.get_by_role("button", name="Choose files").wait_for()
    page.goto(f"{visitor.url}/sign-in")
    page.get_by_label("Name").fill(renamed)
    page.get_by_role("textbox", name="Password").fill("a long password")
    page.keyboard.press("Enter")
    page.get_by_text("The name or the password is wrong.").wait_for()


def test_a_link_without_its_secret_says_so(visit: Visit) -> None:
    page = visit().goes_to("/reset")
    page.get_by_text("This link is not complete.").wait_for()
