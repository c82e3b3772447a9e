"""Transfers that break off, and what the command makes of it."""

import errno
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local.stack import StartedStack
from tests.contract.command.conftest import Command, unfinished
from tests.contract.command.cutting import CuttingProxy
from waystation import AsyncClient, FileSource, NoRoom, SourceChanged, Step, Unreachable
from waystation.uploads import Upload

MIB = 1024 * 1024
SIZE = 24 * MIB + 5
MakeFile = Callable[..., Path]


def port_of(stack: StartedStack) -> int:
    return urlsplit(stack.url).port or 80


def test_connections_that_are_cut_in_the_middle_cost_only_time(
    stack: StartedStack, command: Command, make_file: MakeFile, tmp_path: Path
) -> None:
    sent = make_file(SIZE)
    with CuttingProxy(port_of(stack), [5 * MIB, 300, 0, 7 * MIB]) as proxy:
        done = command("send", "-q", sent, server=proxy.url)
        assert (done.status, done.err) == (0, "")
        assert proxy.cuts >= 3
        # What had arrived is not sent again, but for what was on its way.
        assert proxy.up < SIZE + 9 * MIB
    with CuttingProxy(port_of(stack), [9 * MIB, MIB, 0, 2 * MIB]) as proxy:
        got = command("get", done.out.strip(), "-d", tmp_path / "in", server=proxy.url)
        assert got.status == 0
        assert proxy.cuts >= 3
    assert (tmp_path / "in" / "sent.bin").read_bytes() == sent.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_send_that_was_killed_goes_on_where_it_stopped(
    stack: StartedStack, command: Command, make_file: MakeFile, tmp_path: Path, number: int
) -> None:
    sent = make_file(SIZE)
    with CuttingProxy(port_of(stack)) as proxy:
        proxy.hold_after(16 * MIB)
        with command.start("send", "-q", sent, server=proxy.url) as process:
            assert proxy.held.wait(60)
            process.send_signal(number)
            out, err = process.communicate()
        assert process.returncode == (130 if number == signal.SIGINT else -number), err
        assert unfinished(command)
        assert all(path.stat().st_mode & 0o077 == 0 for path in unfinished(command))
        proxy.release()
        before = proxy.up
        done = command("send", "-q", sent, server=proxy.url)
        assert (done.status, done.err) == (0, "")
        assert proxy.up - before < 12 * MIB
        # The code was there before the first byte, and stayed.
        assert out.decode() == done.out
    command("get", done.out.strip(), "-d", tmp_path / "in")
    assert (tmp_path / "in" / "sent.bin").read_bytes() == sent.read_bytes()
    assert unfinished(command) == []


@pytest.mark.long
def test_a_send_may_be_killed_at_any_moment(command: Command, make_file: MakeFile, tmp_path: Path) -> None:
    sent = make_file(SIZE)
    for number in range(40):
        with command.start("send", "-q", sent) as process:
            # From before it has asked for anything until after its end.
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1 + number * 0.03)
            process.kill()
        assert process.returncode in (0, -signal.SIGKILL)
    done = command("send", "-q", sent)
    assert (done.status, done.err) == (0, "")
    assert unfinished(command) == []
    command("get", done.out.strip(), "-d", tmp_path / "in")
    assert (tmp_path / "in" / "sent.bin").read_bytes() == sent.read_bytes()


async def test_a_send_that_died_after_its_last_byte_has_nothing_to_send(
    stack: StartedStack, make_file: MakeFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FileSource(make_file(3 * MIB))
    codes: list[str] = []
    async with AsyncClient(stack.url, journal=tmp_path / "journal") as client:
        with monkeypatch.context() as patched:
            # The answer to the last byte never came.
            patched.setattr(Upload, "_append", lost(Upload._append))
            patched.setattr(client._connection, "patience", 0)
            with pytest.raises(Unreachable):
                await client.send([source], on_share=lambda share: codes.append(share.code))
        share = await client.send([source], on_share=lambda share: codes.append(share.code))
    assert codes == [share.code, share.code]


def lost(append: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    async def appended(*arguments: object) -> object:
        await append(*arguments)
        raise Unreachable

    return appended


def test_a_get_that_gave_up_goes_on_where_it_stopped(
    stack: StartedStack, command: Command, make_file: MakeFile, tmp_path: Path
) -> None:
    sent = make_file(SIZE)
    # One download is allowed: going on with it is not another one.
    code = command("send", "-q", "--expires", "1x", sent).out.strip()
    with CuttingProxy(port_of(stack), [13 * MIB]) as proxy:
        get = ("get", code, "-n", 1, "-d", tmp_path / "in", "--patience", 0)
        assert command(*get, server=proxy.url).status == 3
        assert not (tmp_path / "in" / "sent.bin").exists()
        before = proxy.down
        assert command(*get, server=proxy.url).status == 0
        assert proxy.down - before < SIZE - 11 * MIB
    assert (tmp_path / "in" / "sent.bin").read_bytes() == sent.read_bytes()


async def test_a_file_that_changes_while_it_is_sent_is_not_shared(
    stack: StartedStack, make_file: MakeFile, tmp_path: Path
) -> None:
    path = make_file(SIZE)

    def change(step: Step) -> None:
        if step.done >= 4 * MIB:
            os.utime(path, (1, 1))

    async with AsyncClient(stack.url, journal=tmp_path / "journal") as client:
        with pytest.raises(SourceChanged):
            await client.send([FileSource(path)], progress=change)
        assert list((tmp_path / "journal").iterdir()) == []
        # A new attempt sends it as it is now.
        assert (await client.send([FileSource(path)])).code


async def test_a_disk_that_fills_up_keeps_what_is_there(
    stack: StartedStack, make_file: MakeFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = make_file(SIZE)
    written, pwrite = 0, os.pwrite

    def full(handle: int, block: bytes, at: int) -> int:
        nonlocal written
        written += len(block)
        if written > 12 * MIB:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(handle, block, at)

    async with AsyncClient(stack.url, journal=tmp_path / "journal") as client:
        with monkeypatch.context() as patched:
            code = (await client.send([FileSource(sent)])).code
            patched.setattr(os, "pwrite", full)
            with pytest.raises(NoRoom):
                await client.get(code, tmp_path / "in")
        begun: list[int] = []
        received = await client.get(code, tmp_path / "in", progress=lambda step: begun.append(step.done))
    assert begun[0] >= 8 * MIB
    assert received[0].path is not None
    assert received[0].path.read_bytes() == sent.read_bytes()
