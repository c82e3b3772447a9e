"""Executes another program as a given user, and has the kernel signal it when its parent dies.

    python -I -S launch.py --parent PID --orphan-signal N [IDENTITY] [--check PATH...] -- PROGRAM ARGUMENT...

This is a small program of its own, because a process with threads must not run Python between fork and exec. It imports
nothing from the checkout, which its user may be unable to read. Outside Linux it only executes the program.

A shell starts background commands with SIGINT ignored, and programs inherit that. So the signals of a terminal get
their default handling back, however the supervisor was started.

IDENTITY is for programs that refuse to run as root:
    --uid U --gid G [--capability C]    that user, with one capability (to enter the folders of root)
    --namespace-uid U                   a user namespace in which the current user appears as U
"""

import argparse
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

TERMINAL_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CLONE_NEWUSER = 0x10000000
CAPABILITY_VERSION_3 = 0x20080522

Call = Callable[..., int]


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilityData(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def _checked(call: Call, *arguments: object) -> None:
    """Call a function of libc. Raises `OSError` with its errno if it fails."""
    if call(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call.__name__}: {os.strerror(number)}")


def _prctl(libc: ctypes.CDLL, option: int, *values: int) -> None:
    padded = [*values, 0, 0, 0, 0][:4]
    _checked(libc.prctl, option, *(ctypes.c_ulong(value) for value in padded))


def become_user(libc: ctypes.CDLL, uid: int, gid: int, capability: int | None) -> None:
    """Change from root to the user `uid`, and keep `capability` through exec as an ambient capability."""
    if capability is not None:
        # Otherwise access(2), which PostgreSQL uses on its own files, would ignore the capability.
        _prctl(libc, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability is not None:
        _keep_only(libc, capability)


def _keep_only(libc: ctypes.CDLL, capability: int) -> None:
    header = _CapabilityHeader(CAPABILITY_VERSION_3, 0)
    sets = (_CapabilityData * 2)()
    word, bit = divmod(capability, 32)
    sets[word].effective = sets[word].permitted = sets[word].inheritable = 1 << bit
    _checked(libc.capset, ctypes.byref(header), sets)
    _prctl(libc, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def enter_namespace(libc: ctypes.CDLL, uid: int) -> None:
    """Enter a user namespace in which this process appears as `uid`. Outside it, the process keeps its user."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _checked(libc.unshare, CLONE_NEWUSER)
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"{uid} {outer_uid} 1")
    (own / "gid_map").write_text(f"{uid} {outer_gid} 1")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Become another program.")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--orphan-signal", type=int, required=True)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--capability", type=int)
    parser.add_argument("--namespace-uid", type=int)
    parser.add_argument("--check", action="append", default=[], help="exit 1 unless this path can be read and entered")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def main() -> None:
    options = _parse()
    command: list[str] = options.command
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if options.namespace_uid is not None:
            enter_namespace(libc, options.namespace_uid)
        if options.uid is not None:
            become_user(libc, options.uid, options.gid, options.capability)
        _prctl(libc, PR_SET_NO_NEW_PRIVS, 1)
        # Last, because the kernel forgets this when the user changes.
        _prctl(libc, PR_SET_PDEATHSIG, options.orphan_signal)
        if os.getppid() != options.parent:
            sys.exit("the supervisor is gone")
    checked: list[str] = options.check
    if not all(os.access(path, os.R_OK | os.X_OK) for path in checked):
        sys.exit(1)
    for number in TERMINAL_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
