"""`python -m deploy.importing`: take over what another system holds, under the names that it has there.

    filecodebox FOLDER      FileCodeBox: its folder `data`, with files there, on S3 or on WebDAV
    fileuploader FOLDER     File Uploader: the folder with its database and its files
    mirage PATH             Mirage: its database `db.sqlite`, or the folder that it is in

Without --write it only says what it would do. The system runs meanwhile. What was imported before is not imported
again, so the command can be stopped and repeated. It ends with status 3 if something had to be left out; each line says
what, and why: a code may be taken here, or a file lost there.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

from common import logging
from common.errors import DomainError
from common.settings import SettingsError, in_words
from common.start import started
from deploy.backup.errors import BackupError
from deploy.importing import people, working
from deploy.importing.filecodebox import FileCodeBox
from deploy.importing.fileuploader import FileUploader
from deploy.importing.mirage import Mirage
from deploy.importing.model import Source, Unreadable
from deploy.importing.parts import files_and_shares, people_and_rooms
from deploy.importing.people import PeopleReport
from deploy.importing.working import Report

SOURCES: dict[str, Callable[[Path], Source]] = {"filecodebox": FileCodeBox, "fileuploader": FileUploader}
LEFT_OUT = 3
GIB = 1024**3


async def import_shares(source: Source, *, write: bool) -> list[str]:
    """Returns the lines about what was left out."""
    async with files_and_shares() as (context, shares):
        try:
            report = await working.bring_in(source, context, shares, write=write, told=_tell)
        finally:
            await source.contents.close()
    _end(
        f"{report.files} files ({report.size / GIB:.2f} GiB) and {report.texts} texts; {report.were_there} were there, "
        f"{source.ended} had ended",
        report.left_out,
        write=write,
    )
    return report.left_out


async def import_people(mirage: Mirage, *, write: bool) -> list[str]:
    """Returns the lines about what was left out."""
    async with people_and_rooms() as house:
        report = await people.bring_in(mirage, house, write=write, told=_tell_people)
    for line in report.changed:
        print(f"note: {line}")
    _end(
        f"{report.accounts} accounts, {report.rooms} rooms, {report.members} members of rooms that were here, and "
        f"{report.messages} messages",
        report.left_out,
        write=write,
    )
    return report.left_out


def _end(sums: str, left_out: list[str], *, write: bool) -> None:
    for line in left_out:
        print(f"left out: {line}", file=sys.stderr)
    print(f"{'imported' if write else 'would import'}: {sums}, {len(left_out)} are left out")


def _tell(report: Report) -> None:
    print(f"{report.files} files ({report.size / GIB:.2f} GiB), {report.texts} texts", flush=True)


def _tell_people(report: PeopleReport) -> None:
    print(f"{report.accounts} accounts, {report.rooms} rooms, {report.messages} messages", flush=True)


async def _until_stopped(work: Coroutine[object, object, list[str]]) -> list[str]:
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise Unreadable("stopped; run it again to go on") from None


def _work(kind: str, path: Path, *, write: bool) -> Coroutine[object, object, list[str]]:
    """Raises `Unreadable`."""
    if kind == "mirage":
        return import_people(Mirage(path), write=write)
    return import_shares(SOURCES[kind](path), write=write)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="import", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=(*SOURCES, "mirage"))
    parser.add_argument("path", type=Path)
    parser.add_argument("--write", action="store_true", help="import; without it nothing is changed")
    given = parser.parse_args()
    started()
    logging.configure(level="warning", format="console", service="import")
    try:
        left_out = asyncio.run(_until_stopped(_work(given.kind, given.path, write=given.write)))
    except (Unreadable, BackupError, DomainError) as error:
        print(f"Failed: {error}", file=sys.stderr)
        return 1
    except (ValueError, SettingsError) as error:
        if (words := in_words(error)) is None:
            raise
        print(f"Failed: {words}", file=sys.stderr)
        return 1
    return LEFT_OUT if left_out else 0


if __name__ == "__main__":
    sys.exit(main())
