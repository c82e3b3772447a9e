"""The files of a release name everything that it carries."""

import hashlib
import json
from pathlib import Path

import pytest

from deploy import notices, release, wheel


def test_a_release_lists_what_it_carries_and_its_checksums_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The wheel itself is built by another test.
    monkeypatch.setattr(wheel, "build", lambda folder, version: _written(folder / f"{version}.whl"))
    written = release.write(tmp_path, "1.2.3")
    sums = (tmp_path / "SHA256SUMS").read_text().splitlines()
    assert sums == [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in written[:-1]]
    bill = json.loads((tmp_path / "waystation-1.2.3.cdx.json").read_text())
    assert (bill["bomFormat"], bill["metadata"]["component"]["version"]) == ("CycloneDX", "1.2.3")
    carried = {package.name for package in notices.packages(release.LOCK)}
    assert {each["name"] for each in bill["components"]} == carried | {"PostgreSQL", "Valkey", "Caddy"}
    references = [each["bom-ref"] for each in bill["components"]]
    assert sorted(references) == sorted(set(bill["dependencies"][0]["dependsOn"])) == sorted(set(references))


def _written(path: Path) -> Path:
    path.write_bytes(b"a wheel")
    return path
