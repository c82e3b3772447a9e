"""The systems that are measured: this one, the same without syncing, and the peers."""

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.stack import RunningStack, StartedStack, running, start
from tests.bench.options import GIB, Options
from tests.bench.peers import Skipped, copyparty, keep_newest, tus_node
from tests.bench.peers.copyparty import Copyparty
from tests.bench.peers.tus_node import TusNode
from tests.bench.targets import Target, Waystation
from tests.bench.trees import Tree

FORM = "form"
UNSYNCED = "form, not synced"
STORE_SYNC = "STORE_SYNC"
ENVIRONMENT = {
    "UPLOAD_COUNT": "1000000",
    "UPLOAD_SIZE": str(100 * GIB),
    "FILE_UPLOADER_UPLOADS_PER_MINUTE": "1000000",
    "FILE_UPLOADER_SIZE": str(100 * GIB),
    "ACCOUNT_CALLS_PER_MINUTE": "1000000",
    # A try counts until it turns out to be right, so many at once from one address would be refused.
    **dict.fromkeys(("ERROR_COUNT", "GUESS_GLOBAL_COUNT"), "1000000"),
    **dict.fromkeys(("LOGIN_FAILURE_ADDRESS_COUNT", "LOGIN_FAILURE_ACCOUNT_COUNT"), "1000000"),
    **dict.fromkeys(("ACCOUNT_MESSAGES_PER_MINUTE", "ROOM_MESSAGES_PER_MINUTE", "ACCOUNT_MESSAGE_BYTES"), "1000000000"),
    **dict.fromkeys(("LIVE_CONNECTIONS", "LIVE_CONNECTIONS_PER_ACCOUNT", "LIVE_CONNECTIONS_PER_ADDRESS"), "1000000"),
    "GARBAGE_GRACE_SECONDS": "0",
}
"""The settings of the systems that are started: no limit is in the way."""
MIRRORS = "mirrors"
"""The folder, beside the data, in which mirrors may be folders."""
SETTLE_SECONDS = 5
"""How long a system that has just started is left alone."""


@dataclass(slots=True)
class Systems:
    """The running systems, and the reasons why others are missing."""

    stack: RunningStack
    folder: Path
    """For files beside those of the systems, on the same disk."""
    form: Waystation
    starts: dict[str, Any] = field(default_factory=dict[str, Any])
    unsynced: Waystation | None = None
    copyparty: Copyparty | None = None
    tus_node: TusNode | None = None
    skipped: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def targets(self) -> list[Target]:
        """Everything that takes files."""
        found: list[Target | None] = [self.form, self.unsynced, self.copyparty, self.tus_node]
        return [target for target in found if target]

    @property
    def tree(self) -> Tree:
        return self.form.tree

    def forget(self) -> None:
        """Remove what the peers were sent, but for the last file, so that the disk does not fill up."""
        for peer in (self.copyparty, self.tus_node):
            if peer:
                keep_newest(peer.folder)


@contextmanager
def opened(options: Options, folder: Path) -> Generator[Systems]:
    """The system itself: the running one on `--data`, or one that is started on a new folder below `folder`."""
    with ExitStack() as closing:
        starts: dict[str, Any] = {}
        if options.data:
            stack = running(options.data)
        else:
            data = folder / "data"
            stack, first = _started(data)
            if "start" in options.parts:
                stack.stop()
                stack, again = _started(data)
                starts = {"new folder": first, "again": again}
            closing.enter_context(stack)
            time.sleep(SETTLE_SECONDS)
        yield Systems(stack, folder, Waystation(FORM, stack.url, Tree.of_stack(stack)), starts)


def _started(data: Path) -> tuple[StartedStack, dict[str, Any]]:
    """Start the system, and say how long it took and which processes worked for how long."""
    begun = time.perf_counter()
    stack = start(data, environment={**ENVIRONMENT, "MIRROR_FOLDERS": str(data.parent / MIRRORS)})
    return stack, {
        "seconds": time.perf_counter() - begun,
        "processor": Tree.of_stack(stack).processor_seconds(),
    }


@contextmanager
def unsynced(systems: Systems, options: Options) -> Generator[None]:
    """During the block a second system runs that does not sync."""
    if options.data:
        systems.skipped[UNSYNCED] = "the running system is measured as it is"
        yield
        return
    with start(systems.folder / "unsynced", environment={**ENVIRONMENT, STORE_SYNC: "0"}) as stack:
        time.sleep(SETTLE_SECONDS)
        systems.unsynced = Waystation(UNSYNCED, stack.url, Tree.of_stack(stack))
        yield
        systems.unsynced = None


@contextmanager
def peers(systems: Systems, options: Options) -> Generator[None]:
    """During the block the peers run that can be installed here."""
    if not options.peers:
        yield
        return
    folder = systems.folder / "peers"
    with ExitStack() as closing:
        try:
            systems.copyparty = closing.enter_context(copyparty.running(options.cache, folder / copyparty.NAME))
        except Skipped as error:
            systems.skipped[copyparty.NAME] = str(error)
        try:
            systems.tus_node = closing.enter_context(tus_node.running(options.cache, folder / tus_node.NAME))
        except Skipped as error:
            systems.skipped[tus_node.NAME] = str(error)
        yield
        systems.copyparty = systems.tus_node = None
