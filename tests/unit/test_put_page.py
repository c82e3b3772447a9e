"""The web page under Compose: what browsers may still show outlives an upgrade."""

import os
import subprocess
import time
from pathlib import Path

from tests.conftest import ROOT

DAYS = 24 * 3600


def put(page: Path, served: Path, **files: str) -> set[str]:
    """Put a page of these files, and nothing else, into the served folder; the names of what is served then."""
    for old in page.glob("*"):
        old.unlink()
    page.mkdir(exist_ok=True)
    for name, content in files.items():
        (page / name).write_text(content, encoding="ascii")
    subprocess.run(["sh", str(ROOT / "deploy/compose/put-page"), str(page), str(served)], check=True)
    return {path.name for path in served.iterdir() if not path.name.startswith(".")}


def age(served: Path, days: int) -> None:
    for path in served.iterdir():
        when = path.stat().st_mtime - days * DAYS
        os.utime(path, (when, when))


def test_parts_stay_for_a_month_after_they_were_replaced(tmp_path: Path) -> None:
    page, served = tmp_path / "page", tmp_path / "served"
    put(page, served, **{"index.html": "1", "one.js": "1"})
    # However long the version was served before.
    age(served, 40)
    assert put(page, served, **{"index.html": "2", "two.js": "2"}) == {"index.html", "one.js", "two.js"}
    assert (served / "index.html").read_text(encoding="ascii") == "2"
    assert time.time() - (served / "one.js").stat().st_mtime < DAYS
    age(served, 31)
    assert put(page, served, **{"index.html": "3", "three.js": "3"}) == {"index.html", "two.js", "three.js"}
    age(served, 31)
    assert put(page, served, **{"index.html": "3", "three.js": "3"}) == {"index.html", "three.js"}
