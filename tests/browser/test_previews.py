"""Previews in the page: documents and texts, also such as try to be programs."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.test_looks import findings, overflow

pytestmark = pytest.mark.browser

SCRIPT = "window.broken = true; alert(1)"
MARKDOWN = f"""# Plan

See [the site](https://example.org/) and [not this](javascript:{SCRIPT}).
![a picture](https://example.org/tracker.png) <img src="https://example.org/x.png" onerror="{SCRIPT}">
<script>{SCRIPT}</script>

```python
print("two")
```
"""
PAINTED = """() => { const canvas = document.querySelector('.pdf canvas')
  return canvas !== null && canvas.width > 300 && canvas.toDataURL().length > 5000 }"""


def pdf(pages: int) -> bytes:
    """A small document whose pages say their numbers, and that has a script for when it is opened."""
    content = [f"BT /F1 48 Tf 20 100 Td (Page {number + 1}) Tj ET" for number in range(pages)]
    kids = " ".join(f"{5 + 2 * number} 0 R" for number in range(pages))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R /OpenAction 4 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /S /JavaScript /JS ({SCRIPT.replace('(', chr(92) + '(').replace(')', chr(92) + ')')}) >>",
    ]
    for number, stream in enumerate(content):
        resources = "/Resources << /Font << /F1 3 0 R >> >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents {6 + 2 * number} 0 R {resources} >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    made, places = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return made + f"{end}startxref\n{len(made)}\n%%EOF\n".encode()


def opened(visit: Visit, *files: tuple[str, bytes], **options: object) -> Visitor:
    """Somebody who looks at these files, which another has sent."""
    sender, receiver = visit(), visit(**options)
    sender.goes_to()
    sender.chooses(*files)
    sender.waits_until_verified(len(files))
    receiver.goes_to(f"/c/{sender.code()}")
    return receiver


def is_unharmed(page: Page) -> bool:
    return page.evaluate("window.broken === undefined")


def test_a_pdf_is_painted_page_by_page_and_runs_nothing(visit: Visit) -> None:
    visitor = opened(visit, ("Ticket.pdf", pdf(2)))
    page = visitor.page
    page.wait_for_function(PAINTED)
    expect(page.get_by_text("page 1 of 2")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("img", name="page 2 of 2")).to_be_visible()
    page.wait_for_function(PAINTED)
    assert is_unharmed(page)
    assert findings(visitor) == []


def test_documents_that_would_be_programs_are_shown_as_text_or_not_at_all(visit: Visit) -> None:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{SCRIPT}"/>'.encode()
    html = f"<script>{SCRIPT}</script>".encode()
    phone = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
    files = [("plan.md", MARKDOWN.encode()), ("a.svg", svg), ("b.html", html), ("broken.pdf", html)]
    visitor = opened(visit, *files, **phone)
    page = visitor.page
    shown = page.locator(".markdown")
    expect(shown.get_by_role("link", name="the site")).to_have_attribute("rel", "noreferrer noopener nofollow")
    assert shown.locator("img, script, iframe").count() == 0
    hrefs = [link.get_attribute("href") or "" for link in shown.locator("a").all()]
    assert all(href.startswith("https://") for href in hrefs)
    assert hrefs
    expect(shown.locator(".hl-built_in")).to_have_text("print")
    expect(shown).to_contain_text(f"<script>{SCRIPT}</script>")
    assert page.get_by_role("button", name="Show a.svg").count() == 0
    assert page.get_by_role("button", name="Show b.html").count() == 0
    assert overflow(visitor) <= 0
    assert findings(visitor) == []
    # What is no PDF is left out, and everything else stays.
    page.get_by_role("button", name="Show broken.pdf").click()
    expect(page.locator(".preview")).to_have_count(0)
    expect(page.get_by_role("link", name="Download broken.pdf")).to_be_visible()
    assert is_unharmed(page)


def test_of_a_long_text_the_beginning_is_shown_and_a_file_can_be_compared(visit: Visit, tmp_path: Path) -> None:
    content = b"".join(b"%d,value\n" % number for number in range(40_000))
    visitor = opened(visit, ("table.csv", content), ("other.bin", b"other"))
    page = visitor.page
    expect(page.locator(".excerpt pre")).to_contain_text("0,value\n1,value")
    expect(page.get_by_text("The first 131 kB are shown")).to_be_visible()
    same, other = tmp_path / "same.csv", tmp_path / "other.csv"
    same.write_bytes(content)
    other.write_bytes(content[:-1])
    for path, words in ((same, "is exactly the file that was sent"), (other, "is not what was sent here")):
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Check a file").click()
        chooser.value.set_files(path)
        expect(page.get_by_text(words)).to_be_visible()


def test_documents_that_are_made_to_stop_the_page_are_shown_as_text(visit: Visit) -> None:
    """One has too many levels for the stack of a library, the other takes it minutes."""
    visitor = opened(visit, ("deep.md", b"> " * 50_000), ("slow.md", b"a." * 60_000 + b"@"))
    page = visitor.page
    for name, words in (("deep.md", "> > > >"), ("slow.md", "a.a.a.a.")):
        if name != "deep.md":
            page.get_by_role("button", name=f"Show {name}").click()
        expect(page.locator(".excerpt pre")).to_contain_text(words)
        page.wait_for_function("new Promise((resolve) => setTimeout(() => resolve(true)))")
        expect(page.get_by_role("link", name=f"Download {name}")).to_be_visible()
    expect(page.locator(".markdown")).to_have_count(0)
