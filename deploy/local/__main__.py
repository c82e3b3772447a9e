"""`python -m deploy.local`: start the whole system here, and stop it on Ctrl-C.

Set DATA (./data), HOST (127.0.0.1) and PORT (8080) to run it elsewhere. To use servers of your own, set
DATABASE_URL_ADMIN, VALKEY_URL, or S3_ENDPOINT with S3_ACCESS_KEY and S3_SECRET_KEY. docs/operate.md lists all settings.
With --version it only says its version. With --until-stdin-closes it also stops when its standard input ends, so that
it ends with the program that started it.
"""

import asyncio
import os
import signal
import sys

from common.version import VERSION
from deploy.local import log as logs
from deploy.local import settings as stack_settings
from deploy.local.binaries import MissingEngine
from deploy.local.files import FolderInUse, locked
from deploy.local.identity import NoIdentity
from deploy.local.postgres import InitFailed
from deploy.local.settings import SettingsError
from deploy.local.state import RunState
from deploy.local.store import StoreElsewhere
from deploy.local.supervisor import StartFailed, Supervisor

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
UNTIL_STDIN_CLOSES = "--until-stdin-closes"


async def _serve(settings: stack_settings.StackSettings, *, until_stdin_closes: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    if until_stdin_closes:
        loop.add_reader(sys.stdin.fileno(), _read_or_stop, loop, stop)
    await Supervisor(settings, logs.for_terminal()).run(stop)


def _read_or_stop(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not sys.stdin.buffer.raw.read(4096):  # type: ignore[attr-defined]
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


def main() -> int:
    if "--help" in sys.argv or "-h" in sys.argv:
        print(__doc__)
        return 0
    if "--version" in sys.argv:
        print(f"waystation {VERSION}")
        return 0
    try:
        settings = stack_settings.read()
        with locked(settings.data):
            asyncio.run(_serve(settings, until_stdin_closes=UNTIL_STDIN_CLOSES in sys.argv))
    except FolderInUse as error:
        state = RunState.load(stack_settings.read().data)
        where = f", at {state.url}" if state and state.ready else ""
        print(f"Already running: {error}{where}. Stop it first, or set DATA to another folder.", file=sys.stderr)
        return 1
    except (SettingsError, MissingEngine, NoIdentity, InitFailed, StoreElsewhere, StartFailed) as error:
        print(f"Not started: {error}", file=sys.stderr)
        return 1
    _give_up_output()
    return 0


def _give_up_output() -> None:
    """Write the last lines of the log, or give them up if the disk is full, so that the end is not an error."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
