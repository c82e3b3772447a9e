"""As whom PostgreSQL runs. It refuses to be root, and root's folders are closed to everybody else.

A root user's checkout and data often lie in folders that nobody else may even pass (`/root`, `mktemp -d`), and neither
their modes nor the machine's accounts are ours to change. So the ways to be somebody else are tried, and the first
that can really reach program and data is taken.
"""

import asyncio
import os
import pwd
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a program is: options for `launch.py`, and the owner that its data folder needs (None: leave it)."""

    name: str
    options: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None


OURSELVES = Identity("the current user")


class NoIdentity(Exception):
    """PostgreSQL cannot run here: this process is root, and no way to be anybody else works."""


def launch_command(identity: Identity, command: Sequence[str], *, orphan_signal: int = signal.SIGKILL) -> list[str]:
    """The command that runs `command` as `identity`, to be sent `orphan_signal` when this process dies."""
    return [
        *(sys.executable, "-I", "-S", str(LAUNCH)),
        *("--parent", str(os.getpid()), "--orphan-signal", str(int(orphan_signal))),
        *identity.options,
        "--",
        *command,
    ]


async def choose(program: Path, data: Path) -> Identity:
    """The first identity that can execute `program` and write to `data`, whose owner becomes that identity's.

    Raises `NoIdentity` when there is none.
    """
    if os.geteuid() != 0:
        return OURSELVES
    for identity in candidates():
        give(data, identity)
        if await _works(identity, program, data):
            return identity
    raise NoIdentity(
        "PostgreSQL refuses to run as root, and this system lets root neither become the user 'nobody' with access to "
        f"{data} nor create a user namespace. Run this as an ordinary user, or set DATABASE_URL_ADMIN to a PostgreSQL "
        "server of your own."
    )


def give(folder: Path, identity: Identity) -> None:
    """Make `folder` and all in it belong to `identity`."""
    if identity.owner is None or _owner(folder) == identity.owner:
        return
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            os.chown(Path(parent, name), *identity.owner, follow_symlinks=False)
    # The top comes last: while it has its old owner, an interrupted change is begun again.
    os.chown(folder, *identity.owner)


def _owner(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_uid, status.st_gid


def candidates() -> list[Identity]:
    """The ways to be somebody else, the least powerful of those that usually work first."""
    try:
        nobody = pwd.getpwnam("nobody")
        uid, gid = nobody.pw_uid, nobody.pw_gid
    except KeyError:
        uid = gid = 65534
    as_user = ("--uid", str(uid), "--gid", str(gid))
    return [
        # May pass every folder and read every file, but write only to its own.
        Identity("nobody, may read", (*as_user, "--capability", str(CAP_DAC_READ_SEARCH)), (uid, gid)),
        Identity("a user namespace", ("--namespace-uid", str(uid)), (0, 0)),
        # The root of a container usually lacks the first capability and may not make namespaces, but has this one.
        Identity("nobody, may write", (*as_user, "--capability", str(CAP_DAC_OVERRIDE)), (uid, gid)),
        Identity("nobody", as_user, (uid, gid)),
    ]


async def _works(identity: Identity, program: Path, data: Path) -> bool:
    checking = Identity(identity.name, (*identity.options, "--check", str(data), "--check", str(program)))
    process = await asyncio.create_subprocess_exec(
        *launch_command(checking, [str(program), "--version"]),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait() == 0
