"""The style sheet of the pages, and the headers that restrict what browsers do with them."""

import base64
import hashlib

STYLE = """
:root { color-scheme: light dark; --back: #f4f5f7; --card: #fff; --text: #1a1d21; --soft: #565d66; --line: #d5d9de;
  --link: #0b57d0; --on-link: #fff; --bad: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --back: #121417; --card: #1c1f23; --text: #e7e9ec; --soft: #a6adb6; --line: #3a4048; --link: #8ab4f8;
    --on-link: #10233f; --bad: #f2b8b5 }
}
* { box-sizing: border-box }
body { margin: 0; padding: 1rem; background: var(--back); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 44rem; margin: 0 auto; padding: 1.25rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem }
h1 { margin: 0 0 1rem; font-size: 1.375rem; line-height: 1.3 }
h2 { margin: 1.75rem 0 .5rem; font-size: 1.125rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .375rem 1rem; margin: 0 0 1.5rem }
dt { color: var(--soft) }
dd { margin: 0 }
code { font-size: .875rem }
a { color: var(--link) }
.button, button { display: inline-block; padding: .625rem 1.25rem; border: 0; border-radius: .375rem;
  background: var(--link); color: var(--on-link); font: inherit; font-weight: 600; text-decoration: none;
  cursor: pointer }
table { width: 100%; border-collapse: collapse }
th, td { padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line); text-align: start; vertical-align: top }
thead th { border: 0; color: var(--soft); font-weight: 400 }
label { display: block; margin-bottom: .25rem }
input { width: 100%; max-width: 24rem; margin-bottom: 1rem; padding: .5rem; border: 1px solid var(--soft);
  border-radius: .375rem; background: var(--back); color: var(--text); font: inherit }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
.bad { color: var(--bad); font-weight: 600 }
@media (max-width: 30rem) {
  body { padding: .5rem }
  main { padding: 1rem }
  dl { grid-template-columns: 1fr; gap: 0 }
  dd { margin-bottom: .625rem }
}
"""

_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
"""The headers of every page: no scripts, nothing loaded from other sites, no caching, no indexing."""
