"""The HTML documents.

`markup.filled` escapes all values, and names are in `bdi`, so they cannot change the direction of the text around them.
"""

from urllib.parse import urlsplit

from share_service.pages.markup import Html, filled, joined, shown
from share_service.pages.model import PLACE, Mirror, Page
from share_service.pages.style import STYLE
from share_service.pages.words import end_text, mirror_text, size_text, time_text

_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<main>
$content
</main>
</body>
</html>
"""
_PAGE = """<h1><bdi>$name</bdi></h1>
<dl>
<dt>Size</dt><dd>$size</dd>
<dt>SHA-256</dt><dd>$sha256</dd>
<dt>Shared</dt><dd>$created</dd>
<dt>Ends</dt><dd>$ends</dd>
</dl>
$download$mirrors"""
_DIGEST = "<code>$sha256</code>"
_DOWNLOAD = '<p><a class="button" href="$path">Download</a></p>'
_PARAGRAPH = "<p>$text</p>"
_MIRRORS = """
<h2 id="mirrors">Mirrors</h2>
<table aria-labelledby="mirrors">
<thead><tr><th scope="col">Mirror</th><th scope="col">State</th><th scope="col">Link</th></tr></thead>
<tbody>
$rows</tbody>
</table>"""
_ROW = """<tr><th scope="row"><bdi>$name</bdi></th><td>$state</td><td>$link</td></tr>
"""
_LINK = '<a href="$url" rel="noopener noreferrer nofollow">$host</a>'
_FORM = """<h1>This file has a password</h1>
$message<form method="post" action="$action">
<label for="password">Password</label>
<input type="password" id="password" name="password" required autocomplete="off"$invalid>
<div><button>Show the file</button></div>
</form>"""
_MESSAGE = '<p class="bad" id="message" role="alert">$text</p>\n'
_INVALID = Html(' aria-invalid="true" aria-describedby="message"')
_NOTICE = "<h1>$title</h1>\n<p>$text</p>$link"
_BACK = '\n<p><a href="$path">To the page of the file</a></p>'


def page_document(page: Page, download_path: str) -> str:
    """The page of a file that is downloaded at `download_path`."""
    share = page.share
    name = shown(share.name)
    content = filled(
        _PAGE,
        name=name,
        size=size_text(share.size),
        sha256=filled(_DIGEST, sha256=page.sha256) if page.sha256 else "not verified yet",
        created=time_text(share.created_at),
        ends=end_text(share.expires_at, share.uses_left),
        download=_download(page, download_path),
        mirrors=_mirrors(page.mirrors, share.size),
    )
    return _document(name, content)


def password_document(slug: str, message: str = "") -> str:
    """The form that asks for the password of a page; `message`: what was wrong with the last password."""
    content = filled(
        _FORM,
        action=f"{PLACE}/{slug}",
        message=filled(_MESSAGE, text=message) if message else "",
        invalid=_INVALID if message else "",
    )
    return _document("Password", content)


def notice_document(title: str, text: str, slug: str = "") -> str:
    """A page with one message; `slug`: of the page that it links back to."""
    back = filled(_BACK, path=f"{PLACE}/{slug}") if slug else ""
    return _document(title, filled(_NOTICE, title=title, text=text, link=back))


def _document(title: str, content: Html) -> str:
    return filled(_DOCUMENT, title=title, style=Html(STYLE), content=content)


def _download(page: Page, path: str) -> Html:
    match page.file_state:
        case "ready":
            return filled(_DOWNLOAD, path=path)
        case "pending":
            return filled(_PARAGRAPH, text="It is being verified and can be downloaded in a moment.")
        case "corrupt":
            return filled(_PARAGRAPH, text="It did not arrive whole and cannot be downloaded.")


def _mirrors(mirrors: list[Mirror], size: int) -> Html:
    rows = [
        filled(
            _ROW,
            name=shown(mirror.name),
            state=mirror_text(mirror, size),
            link=filled(_LINK, url=mirror.url, host=urlsplit(mirror.url).hostname or "") if mirror.url else "none",
        )
        for mirror in mirrors
    ]
    return filled(_MIRRORS, rows=joined(rows)) if rows else Html()
