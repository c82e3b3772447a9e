"""Rooms in the page: two people who talk, pass files and lose their connection, and those who keep order."""

import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from deploy.local.stack import StartedStack
from tests.browser.conftest import Visit, Visitor
from tests.browser.test_looks import findings, overflow

pytestmark = pytest.mark.browser

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "<script>alert(1)</script>",
    "\u202eevil\u202c",
    "[x](javascript:alert(1))",
    "{{constructor.constructor('alert(1)')()}}",
    "a" * 2000,
]


ANSWERED = """(text) => document.querySelector('.post textarea').value !== ''
  || [...document.querySelectorAll('.bubble')].some((bubble) => bubble.textContent.includes(text))"""
"""Whether a message was taken or refused."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account with its token."""

    name: str
    id: str
    token: str
    expires_at: str

    def call(self, visitor: Visitor, method: str, path: str, body: object = None) -> dict[str, object]:
        """Call the native API as this account."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = visitor.context.request.fetch(visitor.url + path, method=method, headers=headers, data=body)
        assert answer.ok, answer.text()
        return answer.json() if answer.status != 204 else {}


@pytest.fixture(scope="module")
def accounts(address: str) -> tuple[Account, Account]:
    """Two accounts, for all tests: an address may not register many."""
    made: list[Account] = []
    for name in ("ann", "bob"):
        body = {"name": f"{name}-{secrets.token_hex(4)}", "password": "a long password"}
        found = httpx.post(f"{address}/v1/auth/register", json=body).raise_for_status().json()
        made.append(Account(body["name"], found["account"]["id"], found["token"], found["expires_at"]))
    return made[0], made[1]


def sign_in(visitor: Visitor, account: Account) -> None:
    """The visitor's browser is signed in from now on."""
    session = {"token": account.token, "expires_at": account.expires_at, "id": account.id, "name": account.name}
    kept = json.dumps(json.dumps(session))
    visitor.context.add_init_script(
        f"if (location.protocol.startsWith('http')) localStorage['waystation.session'] ??= {kept}"
    )


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.keyboard.press("Enter")


def bubble(page: Page, text: str) -> Locator:
    return page.locator(".bubble", has_text=text)


def act(page: Page, text: str, name: str) -> None:
    """Press a button of the message with this text."""
    bubble(page, text).first.hover()
    bubble(page, text).first.get_by_role("button", name=name).click()


@dataclass(frozen=True, slots=True)
class Couple:
    """Two browsers in one private room."""

    one: Visitor
    other: Visitor
    ann: Account
    bob: Account
    room: str
    name: str

    def both(self) -> Iterator[Page]:
        yield from (self.one.page, self.other.page)


@pytest.fixture
def couple(visit: Visit, accounts: tuple[Account, Account]) -> Couple:
    one, other = visit(), visit()
    ann, bob = accounts
    sign_in(one, ann)
    sign_in(other, bob)
    room = ann.call(one, "POST", "/v1/rooms", {"name": f"Trip {secrets.token_hex(3)}", "is_private": True})
    invitation = ann.call(one, "POST", f"/v1/rooms/{room['id']}/invitations", {})
    one.goes_to(f"/rooms/{room['id']}")
    # The link of an invitation, as it is sent to people.
    other.goes_to(str(invitation["url"]).removeprefix(other.url))
    other.page.get_by_text("You are invited to this room.").wait_for()
    other.page.get_by_role("button", name="Join", exact=True).click()
    for visitor in (one, other):
        expect(visitor.page.get_by_text("2 here")).to_be_visible()
    return Couple(one, other, ann, bob, str(room["id"]), str(room["name"]))


def test_two_people_answer_edit_delete_and_see_each_other_type(couple: Couple) -> None:
    one, other = couple.both()
    say(one, "Did everyone get the tickets?")
    expect(bubble(other, "Did everyone get the tickets?")).to_be_visible()
    act(other, "tickets", "Reply")
    other.get_by_role("textbox", name="Message").press_sequentially("Got")
    expect(one.get_by_text(f"{couple.bob.name} is typing")).to_be_visible()
    say(other, "Got it")
    expect(one.locator(".bubble", has_text="Got it").locator(".quote")).to_contain_text("Did everyone get the tickets?")
    expect(one.get_by_text("is typing")).to_have_count(0)
    one.get_by_role("textbox", name="Message").fill("half a thought")
    act(one, "Did everyone", "Edit")
    say(one, "Did everyone get <b>two</b> tickets?")
    expect(one.get_by_role("textbox", name="Message")).to_have_value("half a thought")
    expect(bubble(other, "<b>two</b>").first).to_contain_text("edited")
    act(other, "Got it", "Delete message")
    other.goto("about:blank")
    expect(bubble(one, "Got it")).to_have_count(0)
    expect(one.get_by_text("1 here")).to_be_visible()


def test_a_file_that_is_dropped_comes_as_a_link_of_its_own(couple: Couple) -> None:
    one, other = couple.both()
    one.evaluate(
        """() => { const data = new DataTransfer(); data.items.add(new File(['content'], '<b>Ticket.pdf'))
        window.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })) }"""
    )
    expect(bubble(other, "<b>Ticket.pdf")).to_contain_text("7 bytes")
    link = bubble(other, "<b>Ticket.pdf").get_by_role("link", name="Open").get_attribute("href")
    assert link is not None
    assert couple.other.context.request.get(link).body() == b"content"
    expect(one.get_by_role("progressbar")).to_have_count(0)


def test_what_happened_without_a_connection_comes_with_the_next(couple: Couple) -> None:
    one, other = couple.both()
    couple.other.context.set_offline(True)
    expect(other.get_by_text("connecting…")).to_be_visible()
    say(one, "while you were away")
    expect(bubble(one, "while you were away")).to_be_visible()
    couple.other.context.set_offline(False)
    expect(bubble(other, "while you were away")).to_be_visible()
    expect(other.get_by_text("● live")).to_be_visible()
    expect(one.get_by_text("2 here")).to_be_visible()


def test_a_restart_of_the_service_loses_no_message(couple: Couple, request: pytest.FixtureRequest) -> None:
    if "BROWSER_URL" in os.environ:
        pytest.skip("a system that runs elsewhere is not killed")
    stack: StartedStack = request.getfixturevalue("stack")
    one, other = couple.both()
    say(one, "before")
    expect(bubble(other, "before")).to_be_visible()
    killed = stack.kill("chat")
    one.get_by_text("connecting…").wait_for()
    say(one, "meanwhile")
    stack.wait_restarted("chat", killed)
    expect(one.get_by_text("● live")).to_be_visible()
    # It is not lost: it stands in the field again, or it has come.
    one.wait_for_function(ANSWERED, arg="meanwhile")
    if one.get_by_role("textbox", name="Message").input_value():
        one.keyboard.press("Enter")
    expect(bubble(other, "meanwhile")).to_be_visible()
    expect(bubble(other, "before")).to_be_visible()


def test_hostile_messages_and_names_are_text(couple: Couple) -> None:
    one, other = couple.both()
    for text in HOSTILE:
        couple.ann.call(couple.one, "POST", f"/v1/rooms/{couple.room}/messages", {"text": text})
    for page in (one, other):
        expect(page.locator(".bubble")).to_have_count(len(HOSTILE))
        # The names of others lead to direct messages with them.
        assert page.locator(".messages :is(img, script, a:not(.writer))").count() == 0
        assert page.locator(".bubble .said > p").all_inner_texts()[0] == HOSTILE[0]
    assert overflow(couple.other) <= 0


def test_a_moderator_mutes_and_removes(couple: Couple) -> None:
    one, other = couple.both()
    one.get_by_role("button", name="People").click()
    person = one.locator(".people li", has_text=couple.bob.name)
    person.get_by_role("button", name="More").click()
    person.get_by_role("button", name="Mute").click()
    expect(other.get_by_text("You may only read here at the moment.")).to_be_visible()
    person.get_by_role("button", name="Let them write again").click()
    expect(other.get_by_role("textbox", name="Message")).to_be_visible()
    person.get_by_role("button", name="Make a moderator").click()
    expect(person).to_contain_text("moderator")
    assert findings(couple.one) == []
    person.get_by_role("button", name="Remove for good").click()
    person.get_by_role("button", name="Remove for good").click()
    expect(other.get_by_role("textbox", name="Message")).to_have_count(0)
    one.get_by_role("button", name="Let back in").click()
    expect(one.get_by_text("Let back in")).to_have_count(0)


def test_a_removal_holds_an_invitation_and_an_address_if_the_owner_says_so(couple: Couple) -> None:
    page = couple.one.page
    page.get_by_role("button", name="People").click()
    page.get_by_role("button", name="Change the room").click()
    page.get_by_label("A removal also ends the invitation").check(force=True)
    page.get_by_label("After a removal, nobody joins from that address for").select_option("604800")
    assert findings(couple.one) == []
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Change the room").wait_for()
    room = couple.ann.call(couple.one, "GET", f"/v1/rooms/{couple.room}")
    assert (room["bans_end_invitations"], room["bans_hold_address_seconds"]) == (True, 604_800)
    page.get_by_role("button", name="Change the room").click()
    expect(page.get_by_label("A removal also ends the invitation")).to_be_checked()


def test_unread_messages_and_direct_ones_are_counted(couple: Couple) -> None:
    one, other = couple.both()
    say(other, "for everybody")
    bubble(one, "for everybody").get_by_role("link", name=couple.bob.name).click()
    say(one, "only for <you>")
    expect(bubble(one, "only for <you>")).to_be_visible()
    say(other, "for the room")
    expect(bubble(other, "for the room")).to_be_visible()
    # The list asks again at the latest when it is looked at.
    one.reload()
    expect(one.get_by_role("link", name=re.compile(f"{couple.name}.*1 unread"))).to_be_visible()
    other.reload()
    other.get_by_role("link", name=re.compile("Direct messages.*1 unread")).click()
    expect(other.get_by_role("link", name=re.compile(couple.ann.name))).to_be_visible()
    other.get_by_label("To").fill(couple.ann.name)
    say(other, "and back")
    for text in ("only for <you>", "and back"):
        expect(bubble(other, text)).to_be_visible()
    expect(other.get_by_role("link", name="Direct messages", exact=True).first).to_be_visible()
    # A member's name leads there as well.
    other.goto(f"{couple.other.url}/rooms/{couple.room}")
    other.get_by_role("button", name="People").click()
    other.get_by_label("People").get_by_role("link", name=couple.ann.name).click()
    expect(bubble(other, "and back")).to_be_visible()


def test_a_private_room_opens_by_its_password_on_a_phone(visit: Visit, accounts: tuple[Account, Account]) -> None:
    one, other = visit(), visit(viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    sign_in(one, accounts[0])
    sign_in(other, accounts[1])
    page = one.goes_to("/rooms")
    name = f"Plans {secrets.token_hex(3)}"
    page.get_by_role("button", name="New room").click()
    page.get_by_label("Name of the room").fill(name)
    page.get_by_label("Only by invitation").check(force=True)
    page.locator(".newRoomForm input[type=password]").fill("sesame")
    page.get_by_role("button", name="New room").click()
    expect(page.get_by_text("● live")).to_be_visible()
    page = other.goes_to("/rooms")
    page.get_by_role("button", name="Join a private room").click()
    page.get_by_label("Name of the room").fill(name)
    page.locator(".newRoomForm input[type=password]").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("That is not the password of the room.").wait_for()
    page.locator(".newRoomForm input[type=password]").fill("sesame")
    page.keyboard.press("Enter")
    expect(page.get_by_text("● live")).to_be_visible()
    say(page, "hello from a phone")
    expect(bubble(one.page, accounts[1].name)).to_be_visible()
    assert overflow(other) <= 0
    assert findings(other) == []
    # The owner closes the room, and nobody waits in it.
    one.page.get_by_role("button", name="People").click()
    one.page.get_by_role("button", name="Close the room").click()
    one.page.get_by_role("button", name="Close the room").click()
    expect(page.get_by_role("textbox", name="Message")).to_have_count(0)
