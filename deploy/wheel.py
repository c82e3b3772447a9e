"""`python -m deploy.wheel`: make one wheel of the whole system, which runs it without a checkout.

    uvx --from dist/waystation_server-0.1.0-py3-none-any.whl waystation-server

The wheel holds the packages of all services, the gateway's files, the migrations and the built page. It asks for
exactly the versions in requirements-run.lock, engines included. The same sources always make the same bytes. Uses the
standard library only.
"""

import base64
import hashlib
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVICES = ("auth", "upload", "share", "chat")
NAME = "waystation_server"
SUMMARY = "Waystation: receives files and shares them by code, link, page, chat room or mirror; with its engines"
COMMANDS = {
    "waystation-server": "deploy.local.__main__:main",
    "waystation-backup": "deploy.backup.__main__:main",
    "waystation-import": "deploy.importing.__main__:main",
}
LEFT_OUT = {"__pycache__", "compose", "observe", "helm", "carried", "Dockerfile"}
"""The parts of `deploy` that belong to other ways of running the system."""
_PIN = re.compile(r"^([a-z0-9.-]+)==([^ \\;]+)( ; [^\\]+?)? *\\?$", re.MULTILINE)
MOMENT = (1980, 1, 1, 0, 0, 0)


def build(folder: Path, version: str) -> Path:
    """Write the wheel into `folder`; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{NAME}-{version}-py3-none-any.whl"
    info = f"{NAME}-{version}.dist-info"
    record: list[str] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [*contents(), *information(info, version)]:
            _add(archive, name, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(content)}\n")
        _add(archive, f"{info}/RECORD", "".join([*record, f"{info}/RECORD,,\n"]).encode())
    return target


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, MOMENT)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def contents() -> Iterator[tuple[str, bytes]]:
    """The names and contents of all files but those about the wheel itself."""
    yield from _tree(ROOT / "libs/common/src", "")
    for service in SERVICES:
        yield from _tree(ROOT / "services" / service / "src", "")
        yield from _tree(ROOT / "services" / service / "migrations", f"deploy/carried/migrations/{service}/")
    yield from _tree(ROOT / "deploy", "deploy/")
    yield from _tree(ROOT / "web/dist", "deploy/carried/page/")


def _tree(folder: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        is_left_out = LEFT_OUT & set(inside.parts) or any(part.endswith(".egg-info") for part in inside.parts)
        if path.is_file() and not is_left_out:
            yield f"{prefix}{inside.as_posix()}", path.read_bytes()


def information(info: str, version: str) -> Iterator[tuple[str, bytes]]:
    """The files that tell an installer about the wheel."""
    commands = "".join(f"{command} = {place}\n" for command, place in COMMANDS.items())
    yield f"{info}/METADATA", metadata(version).encode()
    yield f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: deploy.wheel\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    yield f"{info}/entry_points.txt", f"[console_scripts]\n{commands}".encode()
    yield f"{info}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes()


def metadata(version: str) -> str:
    lock = (ROOT / "requirements-run.lock").read_text(encoding="utf-8")
    needed = [f"Requires-Dist: {name}=={pin}{marker or ''}" for name, pin, marker in _PIN.findall(lock)]
    return "\n".join(
        [
            "Metadata-Version: 2.4",
            f"Name: {NAME.replace('_', '-')}",
            f"Version: {version}",
            f"Summary: {SUMMARY}",
            "License-Expression: Apache-2.0",
            "License-File: LICENSE",
            "Requires-Python: >=3.11",
            *needed,
            "Description-Content-Type: text/markdown",
            "",
            (ROOT / "README.md").read_text(encoding="utf-8"),
        ]
    )


def main() -> int:
    sys.path.insert(0, str(ROOT / "libs/common/src"))
    from common.version import VERSION

    if not (ROOT / "web/dist/index.html").is_file():
        print("Not built: there is no web page; run `make web` first", file=sys.stderr)
        return 1
    path = build(ROOT / "dist", VERSION)
    print(f"{path.relative_to(ROOT)} ({path.stat().st_size / 2**20:.1f} MiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
