"""The user that PostgreSQL runs as, which must not be root.

If the system is started by root, the checkout and the data often lie in folders that other users cannot enter (`/root`,
`mktemp -d`). Neither the modes of such folders nor the accounts of the machine are ours to change. So several ways to
be another user are tried, and the first that can reach the program and the data is used.
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
    """A user to run as: options for `launch.py`, and the owner that the data folder needs (None: no change)."""

    name: str
    options: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None


OURSELVES = Identity("the current user")


class NoIdentity(Exception):
    """PostgreSQL cannot run here: this process is root, and no way to be another user works."""


def launch_command(identity: Identity, command: Sequence[str], *, orphan_signal: int = signal.SIGKILL) -> list[str]:
    """The command that runs `command` as `identity`. It gets `orphan_signal` if this process dies."""
    return [
        *(sys.executable, "-I", "-S", str(LAUNCH)),
        *("--parent", str(os.getpid()), "--orphan-signal", str(int(orphan_signal))),
        *identity.options,
        "--",
        *command,
    ]


async def choose(program: Path, data: Path) -> Identity:
    """The first identity that can execute `program` and write to `data`. The folder is given to its owner.

    Raises `NoIdentity` if there is none.
    """
    if os.geteuid() != 0:
        return OURSELVES
    for identity in candidates():
        give(data, identity)
        if await _works(identity, program, data):
            return identity
    raise NoIdentity(
        "PostgreSQL refuses to run as root. On this system root can neither become the user 'nobody' with access to "
        f"{data} nor create a user namespace. Run this as an ordinary user, or set DATABASE_URL_ADMIN to a PostgreSQL "
        "server of your own."
    )


def give(folder: Path, identity: Identity) -> None:
    """Give `folder` and everything in it to the owner of `identity`."""
    if identity.owner is None or _owner(folder) == identity.owner:
        return
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            os.chown(Path(parent, name), *identity.owner, follow_symlinks=False)
    # The folder itself comes last, so that an interrupted change is repeated.
    os.chown(folder, *identity.owner)


def _owner(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_uid, status.st_gid


def candidates() -> list[Identity]:
    """The ways to be another user. Of those that usually work, the least powerful comes first."""
    try:
        nobody = pwd.getpwnam("nobody")
        uid, gid = nobody.pw_uid, nobody.pw_gid
    except KeyError:
        uid = gid = 65534
    as_user = ("--uid", str(uid), "--gid", str(gid))
    return [
        # It can enter every folder and read every file, but write only to its own.
        Identity("nobody, may read", (*as_user, "--capability", str(CAP_DAC_READ_SEARCH)), (uid, gid)),
        Identity("a user namespace", ("--namespace-uid", str(uid)), (0, 0)),
        # In a container, root usually lacks the first capability and cannot make namespaces, but has this capability.
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
