"""Building the web page: once for the same sources, and never at the price of the page that was there before."""

import json
import re
from pathlib import Path

import pytest

from deploy import page
from deploy.page import NODE_LOCK, ROOT, Node, NotBuilt

BUILDING = """#!/bin/sh
echo "$1" >>log
[ "$1" != ping ] || [ ! -e offline ] || { echo "npm error code EAI_AGAIN" >&2; exit 1; }
case "$*" in *--offline*) [ -e cached ] || { echo "npm error code ENOTCACHED" >&2; exit 1; };; esac
[ ! -e broken ] || { echo "npm error code E404"; echo "npm error The registry cannot be reached"; exit 1; } >&2
[ "$1" != run ] || { mkdir "$PAGE_FOLDER" && cp main.ts "$PAGE_FOLDER/index.html"; }
"""


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sources, and an npm that copies one of them."""
    npm = tmp_path / "npm"
    npm.write_text(BUILDING, encoding="ascii")
    npm.chmod(0o755)
    monkeypatch.setattr(page, "found_node", lambda: Node((str(npm),), tmp_path))
    web = tmp_path / "web"
    (web / "src").mkdir(parents=True)
    (web / "main.ts").write_text("one", encoding="ascii")
    # What the npm of this test writes would otherwise be a source.
    monkeypatch.setattr(page, "MADE", page.MADE | {"log", "broken", "offline", "cached"})
    return web


def test_the_page_is_built_once_and_again_when_a_source_changes(web: Path) -> None:
    assert page.build(web)
    assert not page.build(web)
    assert (web / "log").read_text(encoding="ascii").split() == ["ping", "ci", "run"]
    (web / "node_modules").mkdir()
    (web / "node_modules" / "tool").touch()
    assert not page.build(web)
    (web / "main.ts").write_text("two", encoding="ascii")
    assert page.build(web)
    assert (web / "dist" / "index.html").read_text(encoding="ascii") == "two"
    (web / "src" / "new.ts").touch()
    assert page.build(web)
    assert {path.name for path in web.glob("dist*")} == {"dist"}


def test_a_build_that_fails_says_why_in_one_line_and_leaves_the_old_page(web: Path) -> None:
    page.build(web)
    (web / "main.ts").write_text("two", encoding="ascii")
    (web / "broken").touch()
    with pytest.raises(NotBuilt, match=r"^The registry cannot be reached$"):
        page.build(web)
    assert (web / "dist" / "index.html").read_text(encoding="ascii") == "one"
    (web / "broken").unlink()
    assert page.build(web)


def test_without_a_network_npm_does_not_try_again_and_again(web: Path) -> None:
    (web / "offline").touch()
    with pytest.raises(NotBuilt, match=r"^npm's registry cannot be reached, and its cache does not have all packages$"):
        page.build(web)
    (web / "cached").touch()
    assert page.build(web)


@pytest.mark.parametrize(
    ("said", "is_taken"), [("v20.19.0", True), ("v26.1.0", True), ("v20.18.9", False), ("v18.0.0", False), ("", False)]
)
def test_a_node_that_is_too_old_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, is_taken: bool
) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho '{said}'", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (page.found_node() is not None) == is_taken


def test_what_the_page_is_made_of_is_fixed_by_hashes_and_names_no_registry() -> None:
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    # `none` is a folder beside it, and stands for what no browser needs.
    fetched = [found for name, found in packages.items() if name not in ("", "none") and not found.get("link")]
    assert all(found["version"] and found["integrity"] and "resolved" not in found for found in fetched)
    asked = json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8"))
    versions = [*asked["dependencies"].values(), *asked["devDependencies"].values()]
    assert all(re.match(r"\d|file:", version) for version in versions), versions
    lock = NODE_LOCK.read_text(encoding="utf-8")
    assert re.match(r"[a-z0-9-]+==\S+ \\\n +--hash=sha256:", lock)
    assert "://" not in lock
