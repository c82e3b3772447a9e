"""Starts all programs in order, keeps them running, and stops them in reverse order."""

import asyncio

from deploy.local import credentials, plan, ports
from deploy.local.child import Child, run_task
from deploy.local.log import Log
from deploy.local.plan import Plan
from deploy.local.processes import started
from deploy.local.program import Program, Stage, Task
from deploy.local.settings import StackSettings
from deploy.local.state import Process, RunState, stop_leftovers

READY_SECONDS = 120.0
ATTEMPTS = 3


class StartFailed(Exception):
    """The stack did not become ready. The message names the programs that failed, with the ends of their logs."""


class PortTaken(Exception):
    """Another program took a port after it was chosen."""

    def __init__(self, program: Program) -> None:
        super().__init__(f"port {program.port} of {program.host} is in use by another program ({program.name})")
        self.program = program


class Supervisor:
    """Runs one plan."""

    def __init__(self, settings: StackSettings, log: Log) -> None:
        self._settings, self._log = settings, log
        self._stages: list[list[Child]] = []
        self._state = RunState()

    async def run(self, stop: asyncio.Event) -> None:
        """Start the stack, keep it running until `stop` is set, and stop it. The caller has to lock the data folder.

        Raises `StartFailed` if it does not become ready, and then leaves nothing running.
        """
        running = asyncio.create_task(self._start())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
                await stopping
        finally:
            running.cancel()
            stopping.cancel()
            await asyncio.gather(running, stopping, return_exceptions=True)
            await self._stop()

    async def _start(self) -> None:
        data = self._settings.data
        for name in await stop_leftovers(data):
            self._log.say(f"stopped {name}, left running by a supervisor that was killed")
        known = credentials.load(data)
        if self._settings.port and not ports.is_free(self._settings.port, self._settings.host):
            raise StartFailed(f"port {self._settings.port} is in use; set PORT to another one")
        self._log.say("preparing the engines")
        database = await plan.prepare(self._settings, known)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._start_stages(plan.make(self._settings, known, database))
                break
            except PortTaken as error:
                if attempt == ATTEMPTS or error.program.port == self._settings.port:
                    raise StartFailed(str(error)) from error
                self._log.say(f"{error}; starting again with other ports")
                await self._stop()
        self._state.ready = True
        self._state.save(data)
        self._log.say(f"ready: {self._state.url}")
        if self._settings.admin_password is None:
            self._log.say(self._administrator(known))

    def _administrator(self, known: credentials.Credentials) -> str:
        """A line about the first administrator. Only the start that generated the password prints it."""
        name = f"Administrator: {self._settings.admin_name}"
        if credentials.ADMIN_PASSWORD in known.generated:
            return f"{name}, password {known[credentials.ADMIN_PASSWORD]}"
        path = credentials.file(self._settings.data)
        return f"{name}, first password: {credentials.ADMIN_PASSWORD} in {path}"

    async def _start_stages(self, made: Plan) -> None:
        self._state = RunState(
            url=f"http://{self._settings.public_host}:{made.ports['gateway']}", ports=dict(made.ports)
        )
        self._state.save(self._settings.data)
        try:
            async with asyncio.timeout(READY_SECONDS):
                for stage in made.stages:
                    await self._start_stage(stage)
        except TimeoutError:
            raise StartFailed(f"not ready after {READY_SECONDS:g} s{await self._unready()}") from None

    async def _start_stage(self, stage: Stage) -> None:
        data = self._settings.data
        tasks = [member for member in stage if isinstance(member, Task)]
        children = [Child(member, data, self._log, self._record) for member in stage if isinstance(member, Program)]
        self._stages.append(children)
        for child in children:
            _refuse_taken_port(child.program)
            self._log.say(f"starting {child.program.name}")
            child.start()
        if children:
            await asyncio.gather(*(self._until_ready(child) for child in children))
        results = await asyncio.gather(*(run_task(task, data, self._log) for task in tasks))
        failed = [task.name for task, succeeded in zip(tasks, results, strict=True) if not succeeded]
        if failed:
            raise StartFailed(f"failed: {', '.join(failed)}; its log is above")

    async def _until_ready(self, child: Child) -> None:
        """Wait until a program is ready. If it dies meanwhile, it starts again.

        Raises `PortTaken`, and `StartFailed` when its settings cannot be used.
        """
        ready = asyncio.create_task(child.wait_ready())
        died = asyncio.create_task(child.wait_first_death())
        try:
            await asyncio.wait([ready, died], return_when=asyncio.FIRST_COMPLETED)
            if child.is_unusable:
                raise StartFailed(self._log.tail(child.program.name, 1))
            if not ready.done() and child.pid is None:
                _refuse_taken_port(child.program)
            await ready
        finally:
            ready.cancel()
            died.cancel()

    async def _unready(self) -> str:
        """The programs that are not ready, with the ends of their logs."""
        found = ""
        for child in (child for stage in self._stages for child in stage):
            probe = child.program.ready
            if child.pid is None or (probe and not await probe()):
                found += f"\n--- {child.program.name}\n{self._log.tail(child.program.name)}"
        return found

    async def _stop(self) -> None:
        """Stop every stage, the last one first."""
        if any(self._stages):
            self._log.say("stopping")
        while self._stages:
            await asyncio.gather(*(child.stop() for child in self._stages.pop()))
        RunState.remove(self._settings.data)

    def _record(self) -> None:
        """Write the running processes to `run.json`."""
        processes: dict[str, Process] = {}
        for child in (child for stage in self._stages for child in stage):
            mark = started(child.pid) if child.pid is not None else None
            if child.pid is not None and mark is not None:
                program = child.program
                processes[program.name] = Process(child.pid, mark, program.stop_signal, program.grace)
        self._state.processes = processes
        try:
            self._state.save(self._settings.data)
        except OSError as error:
            # On a full disk, programs are still kept running and stopped.
            self._log.say(f"the list of processes cannot be written: {error.strerror}")


def _refuse_taken_port(program: Program) -> None:
    """Raise `PortTaken` if something listens on the port although the program does not run.

    It could even answer the program's probe.
    """
    if program.port and not ports.is_free(program.port, program.host):
        raise PortTaken(program)
