"""One program under supervision, without the rest of the stack."""

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.backoff import backoff
from common.start import UNUSABLE
from deploy.local import child as children
from deploy.local import credentials, ports
from deploy.local.child import FIRST_PAUSE, LONGEST_PAUSE, Child, run_task
from deploy.local.log import Log
from deploy.local.plan import Plan
from deploy.local.processes import started
from deploy.local.program import Program, Task
from deploy.local.settings import StackSettings
from deploy.local.state import RunState
from deploy.local.supervisor import StartFailed, Supervisor

PATIENCE_SECONDS = 60
LAUNCH = Path(children.__file__).with_name("launch.py")


def program(folder: Path, code: str, **options: object) -> Program:
    return Program("subject", [sys.executable, "-I", "-S", "-c", code], folder, **options)  # type: ignore[arg-type]


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


class Subject:
    """A supervised program and what is seen of it."""

    def __init__(self, folder: Path, code: str, **options: object) -> None:
        self.output = io.StringIO()
        self.pids: list[int] = []
        self.failures: list[int] = []
        """How often it had died by each of its starts."""
        self.child = Child(program(folder, code, **options), folder, Log(self.output), self._changed)

    def _changed(self) -> None:
        if self.child.pid is not None:
            self.pids.append(self.child.pid)
            self.failures.append(self.child.failures)


@pytest.fixture
async def supervise(tmp_path: Path):
    subjects: list[Subject] = []

    def begin(code: str, **options: object) -> Subject:
        subjects.append(Subject(tmp_path, code, **options))
        subjects[-1].child.start()
        return subjects[-1]

    yield begin
    await asyncio.gather(*(subject.child.stop() for subject in subjects))


async def test_a_killed_program_is_started_again(supervise: Callable[..., Subject]):
    subject = supervise("import time; time.sleep(60)")
    await until(lambda: subject.pids)
    os.kill(subject.pids[0], signal.SIGKILL)
    await until(lambda: len(subject.pids) >= 2)
    assert subject.pids[0] != subject.pids[1]
    assert "was killed by SIGKILL; starting it again" in subject.output.getvalue()


def test_pauses_grow_from_a_fifth_of_a_second_to_ten_give_or_take_a_quarter():
    def pause(failures: int) -> float:
        return backoff(failures, FIRST_PAUSE, LONGEST_PAUSE).total_seconds()

    assert all(0.15 <= pause(1) <= 0.25 for _ in range(100))
    assert all(7.5 <= pause(n) <= 12.5 for n in (7, 8, 50, 10_000))


async def test_a_program_that_keeps_dying_is_given_ever_longer_pauses(supervise: Callable[..., Subject]):
    subject = supervise("raise SystemExit(3)")
    await until(lambda: len(subject.pids) >= 4)
    assert subject.failures[:4] == [0, 1, 2, 3]
    assert subject.output.getvalue().count("ended with status 3") >= 3


async def test_its_lines_carry_its_name_and_the_last_is_not_lost(supervise: Callable[..., Subject]):
    subject = supervise("import sys,time; sys.stdout.write('one\\ntwo'); sys.stdout.flush(); time.sleep(0.2)")
    await until(lambda: "two" in subject.output.getvalue())
    assert "subject       │ one\nsubject       │ two\n" in subject.output.getvalue()


async def test_a_line_without_end_is_passed_on_in_pieces(supervise: Callable[..., Subject]):
    subject = supervise("import time; print('x' * 1_000_000); time.sleep(60)")
    await until(lambda: subject.output.getvalue().count("x") == 1_000_000)


async def test_stopping_sends_its_signal_and_leaves_nothing(supervise: Callable[..., Subject]):
    code = (
        "import os,signal,sys,time\nsignal.signal(2, lambda *_: sys.exit(os.write(1, b'asked') - 5))\n"
        "os.write(1, b'up\\n')\ntime.sleep(60)"
    )
    subject = supervise(code, stop_signal=signal.SIGINT)
    await until(lambda: "up" in subject.output.getvalue())
    await subject.child.stop()
    assert "asked" in subject.output.getvalue()
    assert started(subject.pids[0]) is None


async def test_a_shell_that_ignores_a_signal_does_not_make_its_program_ignore_it(supervise: Callable[..., Subject]):
    """As every shell does with SIGINT in what it starts in its background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        subject = supervise("print('up', flush=True)\nimport time; time.sleep(60)", stop_signal=signal.SIGINT)
        await until(lambda: "up" in subject.output.getvalue())
        await subject.child.stop()
    finally:
        signal.signal(signal.SIGINT, before)
    assert "is killed" not in subject.output.getvalue()
    assert started(subject.pids[0]) is None


async def test_what_does_not_stop_is_killed_with_its_children(supervise: Callable[..., Subject]):
    code = (
        "import os,signal,time\nsignal.signal(15, signal.SIG_IGN)\n"
        "print(os.fork() or os.getpid(), flush=True)\ntime.sleep(60)"
    )
    subject = supervise(code, grace=0.3)
    await until(lambda: subject.output.getvalue().count("│") == 2)
    pids = [int(line.split("│")[1]) for line in subject.output.getvalue().splitlines()]
    await subject.child.stop()
    await until(lambda: not any(started(pid) for pid in pids))
    assert "did not stop in 0.3 s" in subject.output.getvalue()


async def test_a_program_waiting_for_its_restart_can_be_stopped(
    supervise: Callable[..., Subject], monkeypatch: pytest.MonkeyPatch
):
    for name in ("FIRST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(children, name, timedelta(hours=1))
    subject = supervise("raise SystemExit(1)")
    await until(lambda: subject.child.failures)
    await asyncio.wait_for(subject.child.stop(), PATIENCE_SECONDS)


async def test_ready_means_its_probe_says_yes(supervise: Callable[..., Subject]):
    answers = iter([False, False, True])

    async def probe() -> bool:
        return next(answers)

    subject = supervise("import time; time.sleep(60)", ready=probe)
    await asyncio.wait_for(subject.child.wait_ready(), PATIENCE_SECONDS)
    assert list(answers) == []


@pytest.mark.parametrize(("code", "succeeds"), [("pass", True), ("raise SystemExit(1)", False)])
async def test_a_task_tells_whether_it_succeeded(tmp_path: Path, code: str, succeeds: bool):
    task = Task("subject", [sys.executable, "-I", "-S", "-c", code], tmp_path)
    assert await run_task(task, tmp_path, Log(io.StringIO())) is succeeds


async def test_a_task_that_hangs_is_killed(tmp_path: Path):
    output = io.StringIO()
    task = Task("subject", [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"], tmp_path, seconds=0.3)
    assert not await run_task(task, tmp_path, Log(output))
    assert "did not end in 0.3 s" in output.getvalue()


async def test_a_program_dies_with_a_killed_supervisor(tmp_path: Path):
    parent = (
        "import subprocess,sys,os,time\n"
        f"p = subprocess.Popen([sys.executable, '-I', '-S', {str(LAUNCH)!r}, '--parent', str(os.getpid()),"
        " '--orphan-signal', '9', '--', sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(p.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as supervisor:  # noqa: ASYNC220
        assert supervisor.stdout is not None
        pid = int(await asyncio.to_thread(supervisor.stdout.readline))
        assert started(pid)
        supervisor.kill()
        await until(lambda: started(pid) is None)


async def test_a_program_does_not_start_when_the_supervisor_is_already_gone(tmp_path: Path):
    command = [
        sys.executable,
        str(LAUNCH),
        "--parent",
        "1",
        "--orphan-signal",
        "9",
        "--",
        sys.executable,
        "-c",
        "print('ran')",
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, errors = await process.communicate()
    assert output == b""
    assert b"supervisor is gone" in errors


LISTEN = "import socket,sys,time; s=socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"


class Listening:
    """Stands for the plan of a stack: one program, on one of the given ports after the other."""

    def __init__(self, folder: Path, given: list[int], code: str = LISTEN) -> None:
        self._folder, self._given, self._code = folder, given, code

    async def prepare(self, *_: object) -> None:
        return None

    def make(self, *_: object) -> Plan:
        port = self._given.pop(0)

        async def probe() -> bool:
            return not ports.is_free(port)

        command = [sys.executable, "-c", self._code, str(port)]
        listener = Program("listener", command, self._folder, port=port, ready=probe)
        return Plan([[listener]], {"listener": port, "gateway": port})


async def start_on(
    folder: Path, given: list[int], monkeypatch: pytest.MonkeyPatch, *, code: str = LISTEN, **options: Any
) -> str:
    """Run a supervisor until it is ready or fails; returns its log."""
    plan = Listening(folder, given, code)
    monkeypatch.setattr("deploy.local.plan.prepare", plan.prepare)
    monkeypatch.setattr("deploy.local.plan.make", plan.make)
    output, stop = io.StringIO(), asyncio.Event()
    options.setdefault("port", 0)
    running = asyncio.create_task(Supervisor(StackSettings(folder, **options), Log(output)).run(stop))
    await until(lambda: ((state := RunState.load(folder)) and state.ready) or running.done())
    stop.set()
    await running
    assert RunState.load(folder) is None
    return output.getvalue()


async def test_a_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    free = ports.choose(1)[0]
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        # Its probe says yes to the other's port, as health checks may: that it does not run decides.
        log = await start_on(tmp_path, [taken, free], monkeypatch)
    assert f"port {taken} of 127.0.0.1 is in use" in log
    assert f"ready: http://127.0.0.1:{free}" in log


async def test_the_administrators_password_is_told_once_by_the_start_that_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first, second = [await start_on(tmp_path, ports.choose(1), monkeypatch) for _ in range(2)]
    password = credentials.load(tmp_path)["admin_password"]
    assert f"Administrator: admin, password {password}" in first
    assert f"Administrator: admin, first password: admin_password in {tmp_path / 'secrets.json'}" in second
    assert password not in second


async def test_a_password_that_the_user_gave_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log = await start_on(tmp_path, ports.choose(1), monkeypatch, admin_password="the user's own")
    assert "Administrator" not in log
    assert "the user's own" not in log


async def test_ports_that_are_always_taken_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(StartFailed, match="is in use by another"):
        await start_on(tmp_path, [other.getsockname()[1]] * 3, monkeypatch)


async def test_a_program_whose_settings_cannot_be_used_ends_the_start_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    code = f"import sys; print('begun'); sys.stderr.write('PLACE must be a town'); sys.exit({UNUSABLE})"
    with pytest.raises(StartFailed) as failed:
        await start_on(tmp_path, ports.choose(1), monkeypatch, code=code)
    assert str(failed.value) == "PLACE must be a town"
    assert RunState.load(tmp_path) is None
