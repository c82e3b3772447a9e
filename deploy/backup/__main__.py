"""`python -m deploy.backup`: make backups of a running system, check and forget them, and make a system of one.

    make FOLDER             make a backup of the system that runs on DATA (./data)
    check FOLDER            read the newest backup, or --backup NAME, and compare it with its digests
    forget FOLDER --keep N  remove all backups but the last N, and contents that none of them needs
    restore FOLDER          make a new system in DATA, which must not exist, of the newest backup or --backup NAME
    credentials FOLDER      print the credentials of the newest backup or --backup NAME, as JSON

The passphrase that seals the credentials comes from the file that --passphrase-file names, or is asked for. Nothing
else of a backup is sealed. It ends with status 3 if the backup is complete but for contents that were damaged before.
"""

import argparse
import asyncio
import getpass
import json
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from common import logging
from common.errors import DomainError
from common.start import started
from deploy.backup import working
from deploy.backup.errors import BackupError
from deploy.backup.folder import BackupFolder
from deploy.backup.stacks import stack_of

DAMAGED_BEFORE = 3


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="backup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("act", choices=("make", "check", "forget", "restore", "credentials"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--backup", metavar="NAME")
    parser.add_argument("--keep", type=int)
    parser.add_argument("--passphrase-file", type=Path)
    return parser.parse_args()


def _passphrase(given: argparse.Namespace) -> str:
    path: Path | None = given.passphrase_file
    if path is not None:
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            raise BackupError(f"the passphrase cannot be read from {path}: {error}") from None
    if not sys.stdin.isatty():
        raise BackupError("there is no terminal to ask for the passphrase on; name a file with --passphrase-file")
    found = getpass.getpass("Passphrase: ")
    if given.act == "make" and getpass.getpass("Once more: ") != found:
        raise BackupError("the two are not the same")
    return found


def _say(text: str) -> None:
    print(text, flush=True)


async def _until_stopped(work: Coroutine[Any, Any, int]) -> int:
    """Do the work; a signal stops it and what it started."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise BackupError("stopped") from None


async def _act(given: argparse.Namespace, folder: BackupFolder) -> int:
    match given.act:
        case "make":
            return await _make(given, folder)
        case "check":
            working.check(folder, given.backup, _say)
        case "forget":
            _forget(folder, given.keep)
        case "credentials":
            print(json.dumps(working.credentials_of(folder.backup(given.backup), _passphrase(given))))
        case _:
            await _restore(given, folder)
    return 0


async def _make(given: argparse.Namespace, folder: BackupFolder) -> int:
    manifest = await working.make(stack_of().running(), folder, _passphrase(given), _say)
    for key in manifest.damaged:
        print(f"missing or damaged in the store, so not in the backup: {key}", file=sys.stderr)
    return DAMAGED_BEFORE if manifest.damaged else 0


async def _restore(given: argparse.Namespace, folder: BackupFolder) -> None:
    stack, backup = stack_of(), folder.backup(given.backup)
    stack.refuse_used()
    async with stack.new(working.credentials_of(backup, _passphrase(given))) as system:
        await working.restore(system, backup, _say)


def _forget(folder: BackupFolder, keep: int | None) -> None:
    if keep is None or keep < 1:
        raise BackupError("say how many backups to keep: --keep N, at least 1")
    with folder.writing():
        backups, contents = folder.forget(keep)
    _say(f"forgotten: {backups} backups and {contents} contents")


def main() -> int:
    given = _parse()
    started()
    logging.configure(level="warning", format="console", service="backup")
    try:
        return asyncio.run(_until_stopped(_act(given, BackupFolder(given.folder.absolute()))))
    except (BackupError, DomainError) as error:
        print(f"Failed: {error}", file=sys.stderr)
    except OSError as error:
        print(f"Failed: {error.filename or given.folder}: {error.strerror}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
