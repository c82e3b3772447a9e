"""`python -m deploy.release`: everything that belongs to a release, in `dist/`, with checksums.

The wheel of the whole system, the list of what it installs (an SBOM in CycloneDX 1.6), the licences of all that, and
`SHA256SUMS`. The same sources and packages always make the same bytes. `make release` builds the page before.
"""

import hashlib
import json
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common.version import VERSION
from deploy import notices, wheel
from deploy.notices import ALLOWED, ENGINES, Package

DIST = wheel.ROOT / "dist"
LOCK = wheel.ROOT / "requirements-run.lock"
SPACE = uuid.UUID("a5b7f2d0-6c0e-4b8e-9a51-6f3c1c6f0d52")
"""An arbitrary constant, in which serial numbers are made."""


def bill_of_materials(packages: Sequence[Package], version: str) -> dict[str, Any]:
    """The packages and the engines inside them, as CycloneDX."""
    components = [component for package in packages for component in _components(package)]
    whole = {"type": "application", "bom-ref": "waystation", "name": "waystation", "version": version}
    named = json.dumps([whole, components], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(SPACE, named)}",
        "version": 1,
        "metadata": {"component": {**whole, "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": components,
        "dependencies": [{"ref": "waystation", "dependsOn": [each["bom-ref"] for each in components]}],
    }


def _components(package: Package) -> list[dict[str, Any]]:
    purl = f"pkg:pypi/{package.name}@{package.version}"
    found: list[dict[str, Any]] = [
        {
            "type": "library",
            "bom-ref": purl,
            "name": package.name,
            "version": package.version,
            "purl": purl,
            "licenses": [_licence(package.licence)],
        }
    ]
    if package.name in ENGINES:
        program, licence = ENGINES[package.name]
        ref = f"{purl}#{program}"
        # Its version is that of the package, up to what the packager counts.
        found.append(
            {
                "type": "application",
                "bom-ref": ref,
                "name": program,
                "version": package.version,
                "licenses": [_licence(licence)],
            }
        )
    return found


def _licence(text: str) -> dict[str, Any]:
    """By its SPDX identifiers; `BSD`, as some packages say, is none."""
    terms = text.replace(" AND ", " OR ").split(" OR ")
    is_known = all(term.strip(" ()") in ALLOWED - {"BSD"} for term in terms)
    return {"expression": text} if is_known else {"license": {"name": text}}


def write(dist: Path, version: str) -> list[Path]:
    """Write the files of the release; returns their paths."""
    made = [wheel.build(dist, version), dist / f"waystation-{version}.cdx.json", dist / "THIRD-PARTY-NOTICES.txt"]
    packages = list(notices.packages(LOCK))
    made[1].write_text(json.dumps(bill_of_materials(packages, version), indent=2) + "\n", encoding="utf-8")
    made[2].write_text(notices.document(packages), encoding="utf-8")
    sums = dist / "SHA256SUMS"
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    sums.write_text("".join(lines), encoding="ascii")
    return [*made, sums]


def main() -> int:
    if not (wheel.ROOT / "web/dist/index.html").is_file():
        print("Not built: there is no web page; run `make web` first", file=sys.stderr)
        return 1
    for path in write(DIST, VERSION):
        print(f"{path.relative_to(wheel.ROOT)} ({path.stat().st_size / 2**20:.1f} MiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
