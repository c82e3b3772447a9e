"""Administration in the page."""

import json
import secrets
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from deploy.local import credentials
from deploy.local.credentials import ADMIN_PASSWORD
from deploy.local.stack import StartedStack
from tests.browser.conftest import Visit, Visitor
from tests.browser.test_accounts import register
from tests.browser.test_looks import findings, overflow, reach
from tests.browser.test_own_account import PHONE, end_session, sign_in, token_of

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.svg"
PLACES = ["", "/shares", "/files", "/accounts", "/rooms", "/mirrors", "/fetches", "/policy", "/audit", "/system"]


@pytest.fixture
def password(stack: StartedStack) -> str:
    return credentials.load(stack.folder)[ADMIN_PASSWORD]


def comes(visitor: Visitor, password: str, place: str = "") -> Page:
    """The administrator, at a place of the administration."""
    sign_in(visitor, "admin", password, "admin")
    visitor.page.goto(f"{visitor.url}/admin{place}")
    visitor.page.locator(".tabs").wait_for()
    return visitor.page


def searches(page: Page, label: str, words: str) -> None:
    """Type the words, and wait until the list is that of the search. It begins when nothing was typed for a moment."""
    page.get_by_label(label).fill(words)
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("search") == [words])


def test_every_place_is_for_everybody_who_may(visit: Visit, password: str) -> None:
    visitor, other = visit(**PHONE, color_scheme="dark"), visit()
    page = comes(visitor, password)
    for place in PLACES:
        page.goto(f"{visitor.url}/admin{place}")
        page.locator(".tabs").wait_for()
        page.wait_for_load_state("networkidle")
        assert findings(visitor) == [], place
        assert overflow(visitor) <= 0, place
    # The narrowest phone: the names of all places are in one line.
    page.set_viewport_size({"width": 320, "height": 700})
    for place in ("", "/audit"):
        page.goto(f"{visitor.url}/admin{place}")
        page.locator(".tabs").wait_for()
        page.wait_for_load_state("networkidle")
        assert overflow(visitor) <= 0, place
    register(other, "mine")
    other.goes_to("/admin/policy").get_by_text("Only administrators can see this.").wait_for()
    expect(other.page.get_by_role("link", name="Administration")).to_have_count(0)


def test_shares_of_everybody_are_found_changed_and_ended(visit: Visit, password: str) -> None:
    sender, visitor = visit(), visit()
    sender.goes_to()
    sender.chooses((HOSTILE, b"content"))
    sender.waits_until_verified(1)
    code = sender.code()
    page = comes(visitor, password, "/shares")
    searches(page, "Code, name or text", code)
    row = page.get_by_role("row").filter(has_text=code)
    expect(row.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    row.get_by_role("button", name="Edit").click()
    page.get_by_label("Note").fill("looked at")
    page.get_by_label("Downloads left").fill("2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.reload()
    page.get_by_role("checkbox", name=f"Select {code}").check()
    page.get_by_role("button", name="Keep 7 days longer").click()
    expect(page.get_by_text("1 selected")).to_have_count(0)
    page.get_by_role("checkbox", name=f"Select {code}").check()
    page.get_by_role("button", name="End", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="End", exact=True).click()
    page.get_by_text("Nothing matches.").wait_for()
    page.goto(f"{visitor.url}/admin/audit")
    page.get_by_label("Act, such as share.end").fill("share")
    page.get_by_label("Since").fill("2026-01-01T00:00")
    page.wait_for_url("**act=share**")
    page.get_by_role("row").filter(has_text="share.end").first.wait_for()
    with page.expect_download() as started:
        page.get_by_role("button", name="Export what is found").click()
    acts = [json.loads(line)["act"] for line in started.value.path().read_text().splitlines()]
    assert "share.end" in acts
    assert {act.partition(".")[0] for act in acts} == {"share"}
    page.get_by_label("From the address").fill("somewhere")
    page.get_by_role("alert").wait_for()
    page.get_by_label("From the address").fill("192.0.2.1")
    page.get_by_text("Nothing matches.").wait_for()


def test_files_rooms_and_mirrors_are_in_the_hands_of_administrators(
    visit: Visit, password: str, tmp_path: Path
) -> None:
    owner, visitor = visit(), visit()
    name = register(owner, "mine")
    headers = {"Authorization": f"Bearer {token_of(owner)}"}
    requests, room = owner.context.request, f"<b>{secrets.token_hex(4)}</b>"
    asked = {"name": room, "is_private": True}
    assert requests.post(f"{owner.url}/v1/rooms", data=asked, headers=headers).ok
    page = comes(visitor, password, "/mirrors")
    page.get_by_role("button", name="Add a mirror").click()
    page.get_by_label("Name").fill("<script>alert(1)</script>")
    page.get_by_label("Kind").select_option("fs")
    page.get_by_label("Options").fill(f"root = {tmp_path}/missing")
    page.get_by_role("switch", name="For new files").check(force=True)
    page.get_by_role("button", name="Add it").click()
    page.get_by_role("button", name="Check").click()
    page.get_by_role("status").filter(has_text="mirror_").or_(page.get_by_text("sign_in:")).first.wait_for()
    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("switch", name="Leave there what is there").check(force=True)
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    # Files: found, renamed, deleted.
    assert requests.put(f"{owner.url}/{name}.txt", data=b"content", headers=headers).ok
    page.get_by_role("link", name="Files").click()
    searches(page, "Name or SHA-256", name)
    page.get_by_role("button", name=f"Rename {name}.txt").click()
    page.get_by_role("dialog").get_by_label("Name").fill(f"{name} {HOSTILE}")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("row").filter(has_text="<img src=x onerror=alert(1)>").filter(has_text=name).wait_for()
    page.get_by_role("checkbox", name=f"Select {name}").check()
    # A row that was chosen is still chosen when it is found by other words.
    searches(page, "Name or SHA-256", f"{name} <img")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("Nothing matches.").wait_for()
    # Rooms: nothing of what is said, and closed for good.
    page.get_by_role("link", name="Rooms").last.click()
    searches(page, "Name of a room", room)
    page.get_by_role("button", name=f"Edit {room}").click()
    page.get_by_label("Messages, at most").fill("20")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("0 / 20").wait_for()
    page.get_by_role("button", name=f"Close {room}").click()
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).last.click()
    page.get_by_text("Nothing matches.").wait_for()
    # A quota, and the policy's again.
    page.get_by_role("link", name="Accounts").click()
    searches(page, "Name or e-mail address", name)
    page.get_by_role("button", name=f"Manage {name}").click()
    page.get_by_label("Bytes, at most").fill("1 GB")
    page.get_by_role("button", name="Set limits").click()
    page.get_by_text("It has limits of its own.").wait_for()
    usage = requests.get(f"{owner.url}/v1/account/usage", headers=headers).json()
    assert usage["limits"]["bytes"] == 1_000_000_000
    page.get_by_role("button", name="Use those of the policy").click()
    page.get_by_text("The limits of the policy apply.").wait_for()


def test_accounts_are_suspended_restored_invited_and_given_new_passwords(visit: Visit, password: str) -> None:
    other, visitor, guest = visit(), visit(), visit()
    name = register(other, "mine")
    page = comes(visitor, password, "/accounts")
    searches(page, "Name or e-mail address", name)
    page.get_by_role("button", name=f"Manage {name}").click()
    assert findings(visitor) == []
    page.get_by_label("Reason for a suspension").fill(HOSTILE)
    page.get_by_role("button", name="Suspend").click()
    page.get_by_text("Suspended since").wait_for()
    other.page.reload()
    other.page.get_by_label(f"Password of {name}").fill("a long password")
    other.page.keyboard.press("Enter")
    other.page.get_by_text("This account is suspended.").wait_for()
    page.get_by_role("button", name="Lift the suspension").click()
    page.get_by_role("button", name="Suspend").wait_for()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_role("textbox", name="Link for a new password").inner_text()
    other.page.goto(link)
    other.page.get_by_label("New password").wait_for()
    assert other.page.url == f"{other.url}/reset"
    other.page.get_by_label("New password").fill("another password")
    other.page.keyboard.press("Enter")
    other.page.get_by_text("Your new password is saved.").wait_for()
    sign_in(other, name, "another password")
    other.page.goto(link)
    other.page.get_by_label("New password").fill("a third password")
    other.page.keyboard.press("Enter")
    other.page.get_by_text("This link was used already").wait_for()
    page.get_by_role("button", name="Close").click()
    page.get_by_label("For whom").fill("<b>Ann</b>")
    page.get_by_role("button", name="Invite").click()
    invitation = page.get_by_role("textbox", name="Link for an account").inner_text()
    guest.page.goto(invitation)
    guest.page.get_by_text("You are invited.").wait_for()
    invited = f"bea-{secrets.token_hex(4)}"
    guest.page.get_by_label("Name").fill(invited)
    guest.page.get_by_role("textbox", name="Password").fill("a long password")
    guest.page.keyboard.press("Enter")
    guest.page.wait_for_url("**/mine")
    page.reload()
    row = page.get_by_role("listitem").filter(has_text="<b>Ann</b>").first
    expect(row.get_by_text(invited)).to_be_visible()
    searches(page, "Name or e-mail address", invited)
    page.get_by_role("button", name=f"Manage {invited}").click()
    page.get_by_role("button", name="Delete account…").click()
    page.get_by_label(f"Write “{invited}” to confirm").fill(invited)
    page.get_by_role("button", name="Delete account").click()
    page.get_by_text("Nothing matches.").wait_for()


def test_two_administrators_who_save_at_once_are_told(visit: Visit, password: str) -> None:
    one, other = visit(), visit()
    pages = [comes(one, password, "/policy"), comes(other, password, "/policy")]
    names = [f"Place {secrets.token_hex(2)}" for _ in pages]
    for page, name in zip(pages, names, strict=True):
        page.get_by_label("Name of the place").fill(name)
        page.get_by_label("Keywords for search engines").fill(f"of {name}")
    pages[0].get_by_label("Largest file").fill("much")
    expect(pages[0].get_by_role("button", name="Save")).to_be_disabled()
    pages[0].get_by_label("Largest file").fill("2 GB")
    pages[0].get_by_role("button", name="Save").click()
    pages[0].get_by_text("Saved.").wait_for()
    pages[1].get_by_role("button", name="Save").click()
    dialog = pages[1].get_by_role("dialog", name="Somebody else has saved meanwhile")
    expect(dialog.get_by_text(names[0], exact=True)).to_be_visible()
    expect(dialog.get_by_text(names[1], exact=True)).to_be_visible()
    assert findings(other) == []
    dialog.get_by_role("button", name="Save mine over it").click()
    pages[1].get_by_text("Saved.").wait_for()
    expect(pages[1].get_by_label("Name of the place")).to_have_value(names[1])
    # What only the first had changed has stayed.
    expect(pages[1].get_by_label("Largest file")).to_have_value("2 GB")
    pages[1].get_by_text("Earlier versions").click()
    pages[1].get_by_text(f"of {names[0]}").first.wait_for()


def test_rules_outlive_a_session_that_ends_and_a_keyboard_is_enough(visit: Visit, password: str) -> None:
    visitor = visit()
    page = comes(visitor, password, "/policy")
    page.get_by_label("Description").focus()
    page.keyboard.press("End")
    page.keyboard.type(" more")
    end_session(visitor)
    reach(visitor, "Save", most=60)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Your session has ended").wait_for()
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your session has ended")).to_have_count(0)
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Saved.").wait_for()


def test_a_proxy_that_hides_nothing_is_found_fine(visit: Visit, password: str) -> None:
    page = comes(visit(), password, "/system")
    page.get_by_role("button", name="Try it").click()
    for title in ("Addresses of links", "Large bodies", "Live events"):
        row = page.get_by_role("listitem").filter(has_text=title)
        expect(row.get_by_text("✓ fine")).to_be_visible()


def test_the_dashboard_shows_what_went_through(visit: Visit, password: str) -> None:
    sender, visitor = visit(), visit()
    sender.goes_to()
    sender.chooses(("plotted.bin", b"1" * 300_000))
    sender.waits_until_verified(1)
    page = comes(visitor, password)
    page.get_by_text("Tasks waiting").wait_for()
    plot = page.get_by_role("img", name="Transfers")
    plot.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".plot .cursor")).to_have_count(1)
    page.get_by_role("combobox", name="Span of time").select_option("month")
    expect(page.locator(".plot")).to_have_count(4)
    page.goto(f"{visitor.url}/admin/system")
    for part in ("postgresql", "upload", "share"):
        page.get_by_role("row").filter(has_text=part).first.wait_for()
    expect(page.get_by_text("not working")).to_have_count(0)


def test_other_sites_cannot_use_the_page(visit: Visit) -> None:
    visitor = visit()
    register(visitor, "mine")
    answer = visitor.context.request.get(f"{visitor.url}/admin")
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    # There is no cookie that another site's request could carry.
    assert visitor.context.cookies() == []
    page = visitor.goes_to("/sign-in?to=//example.org")
    page.get_by_label("Name").fill("nobody")
    assert page.url.startswith(visitor.url)
