"""Every acknowledged file and text is there, whole and under its name, and what ended is not served."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from tests.chaos.client import FAILURES, Refused, Stuck, Wrong, shape
from tests.chaos.ledger import Gone, KeptFile, KeptText, Ledger, Violation
from tests.chaos.loads.counted import drain
from tests.chaos.loads.filecodebox import detail
from tests.chaos.world import World

AT_ONCE = 8
CLOCKS = 1.0
"""Seconds after the end of a share from which it must not be served."""

Item = TypeVar("Item")


async def each(items: Iterable[Item], work: Callable[[Item], Awaitable[None]]) -> None:
    """Do `work` with each of the items, a few at a time."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(item: Item) -> None:
        async with places:
            await work(item)

    await asyncio.gather(*(one(item) for item in items))


async def check(world: World) -> None:
    ledger = world.ledger

    async def file(kept: KeptFile) -> None:
        await _file(ledger, kept)

    async def text(kept: KeptText) -> None:
        await _text(ledger, kept)

    async def gone(over: Gone) -> None:
        await _gone(ledger, over)

    await each(ledger.files, file)
    await each(ledger.texts, text)
    await each(ledger.gone, gone)
    await each(ledger.counted, lambda share: drain(world, share))


async def _file(ledger: Ledger, kept: KeptFile) -> None:
    content, where = kept.content, f"{kept.kind} {shape(kept.path)} ({kept.content.sha256[:8]})"
    try:
        copy = await kept.client.copy(kept.path)
    except (Refused, Stuck) as error:
        ledger.note(Violation.LOST, f"{where}: {error}")
        return
    digest = base64.b64encode(bytes.fromhex(content.sha256)).decode()
    promised = None if kept.kind == "archives" else f"sha-256=:{digest}:"
    if (copy.size, copy.sha256) != (content.size, content.sha256):
        ledger.note(Violation.CORRUPT, f"{where}: {copy.size} bytes of {content.size}, or others")
    elif copy.promised != promised:
        ledger.note(Violation.CORRUPT, f"{where}: promised {copy.promised}")
    elif copy.name not in (None, content.name):
        ledger.note(Violation.CORRUPT, f"{where}: is named {copy.name!r}, not {content.name!r}")


async def _text(ledger: Ledger, kept: KeptText) -> None:
    try:
        found = await detail(kept.client, "POST", "/share/select/", json={"code": kept.code})
    except (Refused, Stuck, Wrong) as error:
        ledger.note(Violation.LOST, f"text {kept.code}: {error}")
        return
    if found["text"] != kept.text:
        ledger.note(Violation.CORRUPT, f"text {kept.code}")


async def _gone(ledger: Ledger, over: Gone) -> None:
    await asyncio.sleep(max(0, over.after + CLOCKS - time.time()))
    while True:
        try:
            answer = await over.client.once("GET", over.path)
        except FAILURES:
            await asyncio.sleep(0.2)
            continue
        if answer.status != 503:
            break
        await asyncio.sleep(1)
    if answer.status < 400:
        ledger.note(Violation.STILL_SERVED, f"{over.kind} {shape(over.path)}: {answer.status}")
