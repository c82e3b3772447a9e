"""The HTML documents.

`markup.filled` escapes all values, and names are in `bdi`, so they cannot change the direction of the text around them.
"""

from urllib.parse import urlsplit

from share_service.pages.markup import Html, filled, joined, shown
from share_service.pages.model import PLACE, Mirror, Page
from share_service.pages.style import STYLE
from share_service.pages.words import Notice, Words, time_text

_DOCUMENT = """<!doctype html>
<html lang="$lang">
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
<dt>$size_name</dt><dd>$size</dd>
<dt>SHA-256</dt><dd>$sha256</dd>
<dt>$created_name</dt><dd>$created</dd>
<dt>$ends_name</dt><dd>$ends</dd>
</dl>
$download$mirrors"""
_DIGEST = "<code>$sha256</code>"
_DOWNLOAD = '<p><a class="button" href="$path">$text</a></p>'
_PARAGRAPH = "<p>$text</p>"
_MIRRORS = """
<h2 id="mirrors">$mirrors</h2>
<table aria-labelledby="mirrors">
<thead><tr><th scope="col">$mirror</th><th scope="col">$state</th><th scope="col">$link</th></tr></thead>
<tbody>
$rows</tbody>
</table>"""
_ROW = """<tr><th scope="row"><bdi>$name</bdi></th><td>$state</td><td>$link</td></tr>
"""
_LINK = '<a href="$url" rel="noopener noreferrer nofollow">$host</a>'
_FORM = """<h1>$heading</h1>
$message<form method="post" action="$action">
<label for="password">$label</label>
<input type="password" id="password" name="password" required autocomplete="off"$invalid>
<div><button>$show</button></div>
</form>"""
_MESSAGE = '<p class="bad" id="message" role="alert">$text</p>\n'
_INVALID = Html(' aria-invalid="true" aria-describedby="message"')
_NOTICE = "<h1>$title</h1>\n<p>$text</p>\n<p>$way</p>"
_WAY = '<a href="$path">$text</a>'


def page_document(words: Words, page: Page, download_path: str) -> str:
    """The page of a file that is downloaded at `download_path`."""
    share = page.share
    name = shown(share.name)
    content = filled(
        _PAGE,
        name=name,
        size_name=words.size,
        size=words.size_text(share.size),
        sha256=filled(_DIGEST, sha256=page.sha256) if page.sha256 else words.unverified,
        created_name=words.shared,
        created=time_text(share.created_at),
        ends_name=words.ends,
        ends=words.end_text(share.expires_at, share.uses_left),
        download=_download(words, page, download_path),
        mirrors=_mirrors(words, page.mirrors, share.size),
    )
    return _document(words, name, content)


def password_document(words: Words, slug: str, message: str = "") -> str:
    """The form that asks for the password of a page; `message`: what was wrong with the last password."""
    content = filled(
        _FORM,
        heading=words.ask_heading,
        action=f"{PLACE}/{slug}",
        message=filled(_MESSAGE, text=message) if message else "",
        label=words.ask_label,
        invalid=_INVALID if message else "",
        show=words.ask_button,
    )
    return _document(words, words.ask_heading, content)


def notice_document(words: Words, notice: Notice, slug: str = "") -> str:
    """A page with one message, and the way to the front page, or to the page with this slug."""
    title, text = notice
    way = filled(_WAY, path=f"{PLACE}/{slug}", text=words.back) if slug else filled(_WAY, path="/", text=words.front)
    return _document(words, title, filled(_NOTICE, title=title, text=text, way=way))


def _document(words: Words, title: str, content: Html) -> str:
    return filled(_DOCUMENT, lang=words.lang, title=title, style=Html(STYLE), content=content)


def _download(words: Words, page: Page, path: str) -> Html:
    match page.file_state:
        case "ready":
            return filled(_DOWNLOAD, path=path, text=words.download)
        case "pending":
            return filled(_PARAGRAPH, text=words.pending)
        case "corrupt":
            return filled(_PARAGRAPH, text=words.corrupt)


def _mirrors(words: Words, mirrors: list[Mirror], size: int) -> Html:
    rows = [
        filled(
            _ROW,
            name=shown(mirror.name),
            state=words.mirror_text(mirror, size),
            link=filled(_LINK, url=mirror.url, host=urlsplit(mirror.url).hostname or "")
            if mirror.url
            else words.no_link,
        )
        for mirror in mirrors
    ]
    if not rows:
        return Html()
    names = {"mirrors": words.mirrors, "mirror": words.mirror, "state": words.state, "link": words.link}
    return filled(_MIRRORS, rows=joined(rows), **names)
