"""The style sheet of the pages, and the headers that restrict what browsers do with them."""

import base64
import hashlib

STYLE = """
:root { color-scheme: light dark; --ground: #f7f7f4; --card: #fff; --line: #e2e4df; --edge: #868d89; --text: #191c1b;
  --faint: #5d6663; --accent: #0b6e69; --on-accent: #fff; --bad: #a8321f; --bad-tint: #fbeae7;
  --shadow: 0 1px 2px rgb(25 28 27 / 4%), 0 12px 40px -12px rgb(25 28 27 / 12%);
  --mono: 'JetBrains Mono', 'Cascadia Code', 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0f1312; --card: #171c1b; --line: #27302d; --edge: #6b7773; --text: #e9eeec; --faint: #9aa5a1;
    --accent: #5ad1c6; --on-accent: #06211f; --bad: #f19a8a; --bad-tint: #3a1d18;
    --shadow: 0 1px 2px rgb(0 0 0 / 30%), 0 12px 40px -12px rgb(0 0 0 / 50%) }
}
* { box-sizing: border-box }
body { margin: 0; padding: 56px 20px 64px; background: var(--ground); color: var(--text);
  font: 16px/1.5 Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans SC', 'PingFang SC',
  sans-serif; overflow-wrap: anywhere }
main { max-width: 620px; margin: 0 auto; padding: 32px 36px; border: 1px solid var(--line); border-radius: 24px;
  background: var(--card); box-shadow: var(--shadow) }
h1 { margin: 0 0 16px; font-size: 24px; line-height: 1.25; letter-spacing: -.01em; text-wrap: balance }
h2 { margin: 32px 0 8px; font-size: 18px }
p { margin: 0 0 16px }
main > :last-child { margin-bottom: 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 20px; margin: 0 0 24px }
dt { color: var(--faint) }
dd { margin: 0; font-variant-numeric: tabular-nums }
code { font: 14px/1.5 var(--mono) }
a { color: var(--accent) }
.button, button { display: inline-flex; align-items: center; min-height: 42px; padding: 0 22px; border: 0;
  border-radius: 12px; background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600;
  text-decoration: none; cursor: pointer }
table { width: 100%; border-collapse: collapse }
th, td { padding: 10px 14px 10px 0; border-top: 1px solid var(--line); text-align: start; vertical-align: top }
thead th { border: 0; color: var(--faint); font-size: 14px; font-weight: 400 }
td { overflow-wrap: break-word }
td a { overflow-wrap: anywhere }
label { display: block; margin-bottom: 4px; font-weight: 500 }
input { width: 100%; min-height: 42px; margin-bottom: 18px; padding: 0 16px; border: 1px solid var(--edge);
  border-radius: 16px; background: var(--card); color: var(--text); font: inherit }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.bad { padding: 14px 20px; border-radius: 16px; background: var(--bad-tint); color: var(--bad) }
@media (max-width: 560px) {
  body { padding: 12px 12px 40px }
  main { padding: 22px 20px }
  dl { grid-template-columns: 1fr; gap: 0 }
  dd { margin-bottom: 10px }
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
