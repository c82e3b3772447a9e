"""`python -m deploy.local.moving folder|s3`: move the files of a stopped system into the other store.

The S3 server is the one that S3_ENDPOINT, S3_ACCESS_KEY and S3_SECRET_KEY name. Files of an earlier version, which kept
them in a JuiceFS volume, are moved into a folder. The move can be stopped at any point and begun again. The last step
records that the files are in the other store; the first store keeps everything until somebody removes it.
With --leave-damaged, damaged files are left behind; otherwise nothing is recorded if there are any.
"""

import argparse
import asyncio
import secrets
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.local import credentials, juicefs, ports, store
from deploy.local import log as logs
from deploy.local import settings as stack_settings
from deploy.local.binaries import MissingEngine
from deploy.local.child import run_task
from deploy.local.engines import EnginesFailed, running_engines
from deploy.local.files import FolderInUse, locked
from deploy.local.identity import NoIdentity
from deploy.local.log import Log
from deploy.local.postgres import InitFailed
from deploy.local.program import Program, Task
from deploy.local.services import ROOT, Services, s3_variables
from deploy.local.settings import S3Server, SettingsError, StackSettings
from deploy.local.state import stop_leftovers

LONGEST_SECONDS = 30 * 24 * 3600.0


class NotMoved(Exception):
    """The files could not be moved. The log says why."""


@dataclass(frozen=True, slots=True)
class Move:
    """From which store to which one."""

    source: store.Kind
    to: store.Kind
    server: S3Server
    volume: Program | None
    """The server of a volume of an earlier version, if the files come from there."""


def plan_move(settings: StackSettings, to: store.Kind) -> Move | None:
    """The move that has to be made; None if the files are there already. Raises `SettingsError`."""
    kept = store.recorded(settings.data)
    if kept == to:
        return None
    is_volume = store.has_old_volume(settings.data) and settings.store == "folder"
    if is_volume and to == "s3":
        raise SettingsError(f"the files are in a volume of an earlier version: first {store.MOVE.format('folder')}")
    if is_volume:
        return _from_volume(settings)
    if settings.s3 is None:
        raise SettingsError("set S3_ENDPOINT, S3_ACCESS_KEY and S3_SECRET_KEY of the S3 server")
    return Move("folder" if to == "s3" else "s3", to, settings.s3, None)


def _from_volume(settings: StackSettings) -> Move:
    port, access_key, secret_key = ports.choose(1)[0], secrets.token_hex(10), secrets.token_hex(20)
    server = S3Server(f"http://{ports.LOOPBACK}:{port}", access_key, secret_key, bucket=settings.s3_bucket)
    volume = juicefs.program(
        store.old_volume(settings.data), port, access_key=access_key, secret_key=secret_key, system=settings.system
    )
    return Move("s3", "folder", server, volume)


async def move(settings: StackSettings, to: store.Kind, options: Sequence[str], log: Log) -> None:
    """Move all files to the store `to`. The caller has locked the data folder. Raises `NotMoved`."""
    data = settings.data
    await stop_leftovers(data)
    known = credentials.load(data)
    planned = plan_move(settings, to)
    if planned is None:
        log.say(f"the files are in the store {to!r} already")
        return
    if to == "folder" and juicefs.is_volume(store.folder(data)):
        store.folder(data).rename(store.old_volume(data))
    async with running_engines(settings, known, log, planned.volume) as services:
        tasks = [services.migrations(), _copying(services, planned, options)]
        for task in tasks:
            if not await run_task(task, data, log):
                raise NotMoved(f"failed: {task.name}; its log is above")
    store.record(data, to)
    log.say(f"moved: the files are in the store {to!r} now")
    log.say(f"{_left(settings, planned)} keeps its files until you remove it")


def _left(settings: StackSettings, planned: Move) -> str:
    if planned.volume:
        return str(store.old_volume(settings.data))
    return str(settings.files) if planned.source == "folder" else f"the bucket {planned.server.bucket}"


def _copying(services: Services, planned: Move, options: Sequence[str]) -> Task:
    stores = {"STORE": planned.source, "STORE_FOLDER": str(services.settings.files), **s3_variables(planned.server)}
    return Task(
        name="store-move",
        command=[sys.executable, "-m", "upload_service.move", planned.to, *options],
        folder=ROOT,
        environment={**services.environment("upload"), "LOG_LEVEL": "warning", **stores},
        seconds=LONGEST_SECONDS,
    )


async def _run(settings: StackSettings, to: store.Kind, options: Sequence[str]) -> None:
    """Move the files; a signal stops it and everything that it started."""
    task = asyncio.ensure_future(move(settings, to, options, logs.for_terminal()))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        raise NotMoved("stopped; run it again to go on") from None


def main() -> int:
    parser = argparse.ArgumentParser(description="Move the files of a stopped system into the other store.")
    parser.add_argument("to", choices=("folder", "s3"))
    parser.add_argument("--leave-damaged", action="store_true")
    given = parser.parse_args()
    options = ["--leave-damaged"] if given.leave_damaged else []
    try:
        settings = stack_settings.read()
        if not settings.data.is_dir():
            raise SettingsError(f"{settings.data} does not exist")
        with locked(settings.data):
            asyncio.run(_run(settings, given.to, options))
    except (FolderInUse, SettingsError, MissingEngine, NoIdentity, InitFailed, EnginesFailed, NotMoved) as error:
        print(f"Not moved: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
