"""Measures small files: many of them, and those that are sent while a large upload runs."""

import secrets
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench import calls, disk
from tests.bench.bursts import Burst, burst
from tests.bench.options import Options
from tests.bench.paths import Payload
from tests.bench.systems import Systems
from tests.bench.targets import Target

SIZE = 64 * 1024
AT_ONCE = 16
LATENCY_ROUNDS = 2
"""Large uploads fill the disk, so there are only so many rounds of them, each twice as long."""


def measure(systems: Systems, options: Options) -> dict[str, dict[str, list[Burst]]]:
    """The rounds of every target, with one connection and with 16. `--files` are divided among the rounds."""
    found: dict[str, dict[str, list[Burst]]] = {target.name: {"1": [], str(AT_ONCE): []} for target in systems.targets}
    each = max(1, options.files // options.rounds)
    for _ in range(options.rounds):
        for target in systems.targets:
            for connections in (1, AT_ONCE):
                disk.settle()
                found[target.name][str(connections)].append(_burst(target, iter(range(each)), connections))
        systems.forget()
    return found


def beside_a_large_upload(systems: Systems, options: Options) -> dict[str, dict[str, list[Burst]]]:
    """The rounds of every target: small files alone, and beside one large upload after another."""
    found: dict[str, dict[str, list[Burst]]] = {target.name: {"alone": [], "beside": []} for target in systems.targets}
    large = Payload(options.size)
    for _ in range(LATENCY_ROUNDS):
        for target in systems.targets:
            disk.settle()
            found[target.name]["alone"].append(_burst(target, calls.for_seconds(2 * options.seconds), 1))
            disk.settle()
            with _uploading(target, large):
                found[target.name]["beside"].append(_burst(target, calls.for_seconds(2 * options.seconds), 1))
            systems.forget()
    return found


def fresh() -> bytes:
    """The content of a small file that nobody has sent before."""
    return secrets.token_bytes(32) + _REST


_REST = secrets.token_bytes(SIZE - 32)


def _burst(target: Target, turns: Iterator[Any], connections: int) -> Burst:
    return calls.run(burst(target.tree, target.address, target.sending(fresh), turns, connections=connections))


@contextmanager
def _uploading(target: Target, payload: Payload) -> Generator[None]:
    """Large files are sent, one after another, while the block runs. It begins when the first is under way."""
    ended, begun = threading.Event(), threading.Event()
    failures: list[Exception] = []

    def send() -> None:
        try:
            while not ended.is_set():
                content = payload.fresh()
                begun.set()
                target.send(content)
        except Exception as error:  # noqa: BLE001  (raised again below, in the thread that waits)
            failures.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    begun.wait()
    try:
        yield
    finally:
        ended.set()
        sender.join()
    if failures:
        raise failures[0]
