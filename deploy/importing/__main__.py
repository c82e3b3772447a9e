"""`python -m deploy.importing`: take the shares of another system over, under the codes and links that they have.

    filecodebox FOLDER      FileCodeBox: its folder `data`, with files there, on S3 or on WebDAV
    fileuploader FOLDER     File Uploader: the folder with its database and its files

Without --write it only says what it would do. The system runs meanwhile. What was imported before is not imported
again, so the command can be stopped and repeated. It ends with status 3 if something had to be left out; each line says
what, and why: a code may be taken here, or a file lost there.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from common import logging
from common.db import Database
from common.errors import DomainError
from common.settings import StoreSettings
from common.start import started
from deploy.backup.errors import BackupError
from deploy.backup.stacks import stack_of
from deploy.backup.systems import System
from deploy.importing.filecodebox import FileCodeBox
from deploy.importing.fileuploader import FileUploader
from deploy.importing.model import Source, Unreadable
from deploy.importing.working import Report, bring_in
from upload_service.build import build, opened
from upload_service.content.context import unlimited
from upload_service.move import Sweepers
from upload_service.settings import UploadSettings

SOURCES: dict[str, Callable[[Path], Source]] = {"filecodebox": FileCodeBox, "fileuploader": FileUploader}
LEFT_OUT = 3
GIB = 1024**3
POOL_SIZE = 2
NOBODY = "http://127.0.0.1:9"
"""An address at which nothing listens."""


def _settings(system: System) -> UploadSettings:
    """The settings of an upload service that calls no other and sends no task: sweeps find what it leaves to do."""
    known = system.credentials
    values: dict[str, object] = {
        "database_url": system.database_url("upload", known["postgres_upload"]),
        "valkey_url": system.valkey_url,
        "broker_url": system.valkey_url,
        "mirror_key": known["mirror_key"],
        "service_secret": known["service_upload"],
        **dict.fromkeys(("auth_url", "share_url", "chat_url"), NOBODY),
        **{name: getattr(system.store, name) for name in StoreSettings.model_fields},
    }
    return UploadSettings.model_validate(values)


async def _import(source: Source, *, write: bool) -> Report:
    system = stack_of().running()
    # Imported files count as those of guests, and no quota refuses them: the operator decides.
    context = replace(build(_settings(system), Sweepers(), pool_size=POOL_SIZE), limits_for=unlimited)
    shares = Database(system.database_url("share", system.credentials["postgres_share"]), pool_size=POOL_SIZE)
    async with opened(context):
        await shares.open()
        try:
            return await bring_in(source, context, shares, write=write, told=_tell)
        finally:
            await shares.close()
            await source.contents.close()


def _tell(report: Report) -> None:
    print(f"{report.files} files ({report.size / GIB:.2f} GiB), {report.texts} texts", flush=True)


async def _until_stopped(source: Source, *, write: bool) -> Report:
    task = asyncio.ensure_future(_import(source, write=write))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise Unreadable("stopped; run it again to go on") from None


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="import", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=tuple(SOURCES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="import; without it nothing is changed")
    given = parser.parse_args()
    started()
    logging.configure(level="warning", format="console", service="import")
    write: bool = given.write
    try:
        source = SOURCES[given.kind](given.folder)
        report = asyncio.run(_until_stopped(source, write=write))
    except (Unreadable, BackupError, DomainError) as error:
        print(f"Failed: {error}", file=sys.stderr)
        return 1
    for line in report.left_out:
        print(f"left out: {line}", file=sys.stderr)
    print(
        f"{'imported' if write else 'would import'}: {report.files} files ({report.size / GIB:.2f} GiB) and "
        f"{report.texts} texts; {report.were_there} were there, {source.ended} had ended, "
        f"{len(report.left_out)} are left out"
    )
    return LEFT_OUT if report.left_out else 0


if __name__ == "__main__":
    sys.exit(main())
