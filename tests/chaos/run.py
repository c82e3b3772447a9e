"""One run: start the stack, load it, kill, start it again, and compare it with the ledger."""

import asyncio
import random
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from deploy.local import credentials
from deploy.local.credentials import ADMIN_PASSWORD
from deploy.local.stack import LOG_NAME, StackFailed, StartedStack, start
from tests.chaos.checks import contents, hooks, talks, transfers
from tests.chaos.checks.leftovers import Leftovers, processes_of
from tests.chaos.client import FAILURES, Clients, Refused, Stuck, Wrong
from tests.chaos.faults import Faults, kill_supervisor, schedule
from tests.chaos.ledger import Ledger, Violation
from tests.chaos.loads import LOADS, Load
from tests.chaos.loads.mirrorace import Rejected
from tests.chaos.report import Report
from tests.chaos.source import Source, running_source
from tests.chaos.world import World, new_account, signed_in
from tests.conftest import LIMITS
from tests.integration.upload.mirrors.mirror_front import background
from tests.integration.upload.mirrors.mirror_servers import SERVERS, MirrorServer

MIRRORS = ("fs", "webdav")
RECOVERY_SECONDS = 60.0
"""Within so long after the last kill of a round everything works again."""
REST_SECONDS = 2.0
"""How long the clients then have the system to themselves."""
FIRST_LOG = f"first-{LOG_NAME}"
PAUSE = 0.4
"""Seconds, on average, between two things that one person does."""
PEOPLE = 2
"""How many do the same at a time."""
SETTINGS = {
    **dict.fromkeys(LIMITS, "1000000"),
    "FETCH_ALLOWED_NETWORKS": "127.0.0.1/32",
    "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
    "FETCHES_AT_ONCE": "8",
    "GARBAGE_GRACE_SECONDS": "2",
    # Longer than any outage, because what an upload has stored may wait for the end of one.
    "UNCLAIMED_LIFETIME_SECONDS": "600",
    "SESSION_LIFETIME_SECONDS": "600",
}

HEARD = ("share.complete", "drop.filled", "file.arrived")
"""The events that the webhook of the place is told of."""


class Run:
    """One run in one folder."""

    def __init__(self, seed: int, kills: int, folder: Path) -> None:
        self._seed, self._kills = seed, kills
        self._data, self._mirrors = folder / "data", folder / "mirrors"
        self._settings = {**SETTINGS, "MIRROR_FOLDERS": str(self._mirrors)}
        self._ledger, self._faults = Ledger(), Faults()
        self._seconds: dict[str, float] = {}

    async def go(self) -> Report:
        with ExitStack() as opened, self._timed("everything"):
            servers = mirror_servers(opened, self._mirrors)
            with self._timed("start"):
                stack = await asyncio.to_thread(start, self._data, environment=self._settings)
            opened.callback(lambda: stack.stop())
            entries = {entry.name for entry in self._data.iterdir()}
            clients = Clients(stack.url)
            try:
                async with running_source() as source:
                    world = await new_world(stack, clients, self._ledger, source, servers)
                    stack = await self._load(stack, world)
                    # Fetches that were asked for at the end may still be under way.
                    with self._timed("checks"):
                        await self._check(stack, world, servers)
                with self._timed("stop"):
                    await asyncio.to_thread(stack.stop)
                self._note_traces_of(stack, entries)
            except StackFailed as error:
                self._ledger.note(Violation.STUCK, str(error))
            finally:
                await clients.close()
        for wrong, number in clients.tally.wrong.items():
            self._ledger.note(Violation.UNEXPECTED, f"{wrong} ({number})")
        return Report(self._seed, self._kills, self._faults, self._ledger, clients.tally, self._seconds)

    async def _load(self, stack: StartedStack, world: World) -> StartedStack:
        """Load the stack while it is being killed; at last its supervisor is, and it is started again."""
        loads = [
            asyncio.create_task(self._repeat(world, name, load, random.Random(f"{self._seed} {name} {number}")))
            for name, load in LOADS.items()
            for number in range(PEOPLE)
        ]
        try:
            with self._timed("kills"):
                programs = sorted(stack.state().processes)
                faults = schedule(self._seed, programs, self._kills)
                await self._faults.inflict(stack, faults, lambda: self._recovered(world))
            with self._timed("second start"):
                stack = await asyncio.to_thread(self._start_again, stack)
            with self._timed("end of the load"):
                world.over.set()
                await asyncio.gather(*loads)
        finally:
            for load in loads:
                load.cancel()
            await asyncio.gather(*loads, return_exceptions=True)
        for program in self._faults.not_restarted:
            self._ledger.note(Violation.STUCK, f"{program} was not restarted")
        return stack

    async def _recovered(self, world: World) -> None:
        """Wait until `/health` says that everything works, and let the clients rest."""
        until = time.monotonic() + RECOVERY_SECONDS
        health = ""
        while time.monotonic() < until:
            with suppress(*FAILURES):
                health = (await world.clients.at(0).once("GET", "/health")).text
                if '"ok"' in health:
                    await asyncio.sleep(REST_SECONDS)
                    return
            await asyncio.sleep(0.2)
        self._ledger.note(Violation.STUCK, f"not everything works {RECOVERY_SECONDS:.0f} s after a kill: {health}")

    async def _repeat(self, world: World, name: str, load: Load, chance: random.Random) -> None:
        while not world.over.is_set():
            try:
                await load(world, chance)
            except (Refused, Rejected, Wrong) as error:
                self._ledger.note(Violation.UNEXPECTED, f"{name}: {error}")
            except Stuck as error:
                self._ledger.note(Violation.STUCK, f"{name}: {error}")
            await asyncio.sleep(chance.uniform(0, 2 * PAUSE))

    def _start_again(self, stack: StartedStack) -> StartedStack:
        """Kill the supervisor, and start another one on the same folder and port."""
        port = stack.ports["gateway"]
        kill_supervisor(stack)
        self._faults.killed["supervisor"] += 1
        stack.supervisor.wait()
        if stack.supervisor.stdin:
            stack.supervisor.stdin.close()
        (stack.folder / LOG_NAME).rename(stack.folder / FIRST_LOG)
        return start(stack.folder, port=port, environment=self._settings)

    async def _check(self, stack: StartedStack, world: World, servers: list[MirrorServer]) -> None:
        leftovers = Leftovers(stack, self._ledger, servers)
        try:
            with self._timed("checks: transfers"):
                await transfers.check(world, servers)
            with self._timed("checks: webhooks"):
                await hooks.check(world, stack)
            with self._timed("checks: contents"):
                await contents.check(world)
                await talks.check(world)
            with self._timed("checks: leftovers"):
                await leftovers.check_processes()
                await leftovers.check_settled()
                await leftovers.check_ended()
        finally:
            leftovers.close()

    def _note_traces_of(self, stopped: StartedStack, entries: set[str]) -> None:
        """`entries`: the names in the data folder before the load."""
        for pid, command in processes_of(stopped.folder):
            self._ledger.note(Violation.LEFT_OVER, f"after the stop: process {pid} {command}")
        now = {entry.name for entry in stopped.folder.iterdir()}
        for name in now - entries - {FIRST_LOG} | now & {"run.json"}:
            self._ledger.note(Violation.LEFT_OVER, f"after the stop: {name} in the data folder")

    @contextmanager
    def _timed(self, what: str) -> Generator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self._seconds[what] = time.monotonic() - begun


async def new_world(
    stack: StartedStack,
    clients: Clients,
    ledger: Ledger,
    source: Source,
    servers: list[MirrorServer],
    heard: Sequence[str] = HEARD,
) -> World:
    """The world, with an account whose files go to all mirrors. `heard`: the events that the webhook is told of."""
    stranger = clients.at(0)
    administrator = await signed_in(stranger, "admin", credentials.load(stack.folder)[ADMIN_PASSWORD])
    mirroring = await new_account(stranger)
    account = (await mirroring.ask("GET", "/v1/account", 200)).json()["id"]
    more = {"accounts": [account], "is_default": True, "parallel": 4}
    mirrors: list[int] = []
    for server in servers:
        mirror = {"name": server.kind, "kind": server.kind, "options": server.options, **more}
        mirrors.append((await administrator.ask("POST", "/v1/mirrors", 201, json=mirror)).json()["id"])
    hook = {"url": f"{source.url}/hook", "events": heard, "everybody": True}
    await administrator.ask("POST", "/v1/webhooks", 201, json=hook)
    return World(clients, ledger, source, mirrors, mirroring, administrator, asyncio.Event())


def mirror_servers(opened: ExitStack, folder: Path) -> list[MirrorServer]:
    running = opened.enter_context(background())
    servers: list[MirrorServer] = []
    for kind in MIRRORS:
        (folder / kind).mkdir(parents=True)
        servers.append(opened.enter_context(SERVERS[kind](folder / kind, running)))
    return servers
