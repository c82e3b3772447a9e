"""The page as an installed app: without a network, as a target of other apps, and with the licences that it owes."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, Visitor

pytestmark = pytest.mark.browser

CONTROLLED = "async () => { await navigator.serviceWorker.ready; return navigator.serviceWorker.controller !== null }"
KEPT = """async () => { const names = []
  for (const name of await caches.keys())
    for (const { url } of await (await caches.open(name)).keys()) names.push(new URL(url).pathname)
  return names }"""
SHARE = """(files) => { const form = document.createElement('form')
  Object.assign(form, { method: 'POST', action: '/share-target', enctype: 'multipart/form-data' })
  const data = new DataTransfer()
  for (const [name, content] of files) data.items.add(new File([content], name))
  const input = document.createElement('input')
  Object.assign(input, { type: 'file', name: 'files', multiple: true, files: data.files })
  const text = document.createElement('textarea')
  Object.assign(text, { name: 'text', value: files.length ? 'with words' : 'only words' })
  form.append(input, text); document.body.append(form); form.submit() }"""


def installed(visit: Visit) -> Visitor:
    """Somebody whose browser has the service worker, and got the page's parts through it."""
    visitor = visit()
    visitor.goes_to()
    visitor.page.wait_for_function(CONTROLLED)
    visitor.page.reload()
    visitor.page.locator("h1").first.wait_for()
    return visitor


def shares(page: Page, *files: tuple[str, str]) -> None:
    """Share from another app: the browser posts a form to the address that the manifest names."""
    page.evaluate(SHARE, [list(file) for file in files])


def test_the_page_opens_without_a_network_and_keeps_no_answer_of_the_api(visit: Visit) -> None:
    visitor = installed(visit)
    page = visitor.page
    visitor.chooses(("a.txt", b"content"))
    visitor.waits_until_verified(1)
    code = visitor.code()
    visitor.goes_to(f"/c/{code}")
    page.goto(f"{visitor.url}/rooms")
    page.goto(visitor.url)
    page.wait_for_function(f"async () => (await ({KEPT})()).includes('/')")
    kept = page.evaluate(KEPT)
    assert all(re.fullmatch(r"/|/assets/[\w.-]+", path) for path in kept), kept
    visitor.context.set_offline(True)
    page.goto(visitor.url)
    page.get_by_role("button", name="Choose files").wait_for()
    page.goto(f"{visitor.url}/c/{code}")
    page.get_by_role("heading", name="Something is not working").wait_for()
    visitor.context.set_offline(False)
    # A part of the version before is still there for a page that was open when a new one came.
    name = next(path for path in kept if path.endswith(".js"))
    assert page.evaluate("(name) => fetch(name).then(({ status }) => status)", name) == 200


def test_what_another_app_shares_is_sent_once_its_reader_says_so(visit: Visit) -> None:
    visitor = installed(visit)
    page = visitor.page
    shares(page, ("<b>photo</b>.jpg", "one"), ("two.txt", "two"))
    page.get_by_role("heading", name="Send this?").wait_for()
    assert page.url == f"{visitor.url}/"
    assert page.locator(".sharedFiles .itemName").all_inner_texts() == ["<b>photo</b>.jpg", "two.txt", "with words"]
    page.get_by_role("button", name="Send", exact=True).click()
    visitor.waits_until_verified(3)
    page.goto(visitor.url)
    page.evaluate("localStorage.removeItem('waystation.sent')")
    page.reload()
    shares(page)
    expect(page.get_by_label("Your text")).to_have_value("only words")
    page.goto(f"{visitor.url}/?shared")
    page.get_by_role("button", name="Choose files").wait_for()


def test_browsers_may_install_it_and_its_licences_are_named(visit: Visit) -> None:
    visitor = visit()
    visitor.goes_to()
    session = visitor.context.new_cdp_session(visitor.page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    reasons = {error["errorId"] for error in session.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert reasons <= {"in-incognito"}
    licences = visitor.context.request.get(f"{visitor.url}/licenses.txt").text()
    for name in ("react-dom", "@mantine/core", "tus-js-client", "pdfjs-dist", "@noble/hashes", "i18next"):
        assert re.search(rf"^{re.escape(name)} [\d.]+: \S+", licences, re.MULTILINE), name
    assert licences.count("Permission is hereby granted") > 5


def test_a_part_that_the_server_no_longer_has_takes_nothing_else_away(visit: Visit) -> None:
    """As after an upgrade, for a page that was opened before it."""
    visitor = visit(service_workers="block")
    page = visitor.goes_to()
    page.route("**/assets/RoomsPage-*", lambda route: route.fulfill(status=404))
    page.get_by_role("link", name="Rooms").click()
    page.get_by_role("heading", name="This part of the page does not open").wait_for()
    # React says in the console what it caught.
    visitor.wrong.clear()
    page.get_by_role("link", name="Send", exact=True).click()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    page.get_by_role("link", name="Rooms").click()
    page.unroute("**/assets/RoomsPage-*")
    page.get_by_role("button", name="Load the page again").click()
    page.get_by_role("heading", name="Rooms").first.wait_for()
    visitor.wrong.clear()
