"""Every wanted copy is verified and right on its mirror, and every fetch has ended as it must."""

import asyncio
import hashlib
import time
from collections import Counter

from tests.chaos.checks.contents import each
from tests.chaos.client import Refused, Stuck
from tests.chaos.ledger import KeptFile, MirroredFile, Violation, WantedFetch
from tests.chaos.world import World
from tests.integration.upload.mirrors.mirror_servers import MirrorServer

PATIENCE = 150.0
SETTLED = {"done", "failed", "canceled"}


async def check(world: World, servers: list[MirrorServer]) -> None:
    until = time.monotonic() + PATIENCE
    await each(world.ledger.fetches, lambda fetch: _fetch(world, fetch, until))
    await each(world.ledger.mirrored, lambda file: _replicas(world, file, until))
    for server in servers:
        await asyncio.to_thread(_contents, world, server)


async def _fetch(world: World, fetch: WantedFetch, until: float) -> None:
    """A fetch that is done has a file, which is checked with the others."""
    while True:
        try:
            found = (await fetch.client.ask("GET", f"/v1/fetches/{fetch.fetch_id}", 200)).json()
        except (Refused, Stuck) as error:
            world.ledger.note(Violation.LOST, f"fetch: {error}")
            return
        if found["state"] in SETTLED:
            break
        if time.monotonic() > until:
            world.ledger.note(Violation.STUCK, f"fetch: {found['state']} {found['error']} {found['detail']}")
            return
        await asyncio.sleep(0.5)
    # An attempt to cancel it that got no answer may have canceled it, and the next one is then refused.
    if fetch.state != found["state"] and not (fetch.state == "settled" and found["state"] in ("done", "canceled")):
        what = f"fetch: {found['state']} instead of {fetch.state}: {found['error']} {found['detail']}"
        world.ledger.note(Violation.LOST, what)
    elif fetch.content:
        world.ledger.files.append(KeptFile("fetch", fetch.client, f"/f/{found['code']}", fetch.content))


async def _replicas(world: World, file: MirroredFile, until: float) -> None:
    while True:
        try:
            found = (await file.client.ask("GET", f"/v1/files/{file.file_id}/mirrors", 200)).json()["mirrors"]
        except (Refused, Stuck) as error:
            world.ledger.note(Violation.LOST, f"mirrored file: {error}")
            return
        states = [mirror["state"] for mirror in found]
        if states == ["verified"] * len(world.mirrors):
            return
        if time.monotonic() > until:
            world.ledger.note(Violation.STUCK, f"replicas: {states} {[mirror.get('error') for mirror in found]}")
            return
        await asyncio.sleep(0.5)


def _contents(world: World, server: MirrorServer) -> None:
    """Each wanted content is at the mirror once, and whole."""
    found = Counter(hashlib.sha256(content).hexdigest() for content in server.stored().values())
    for file in world.ledger.mirrored:
        if not found[file.content.sha256]:
            world.ledger.note(Violation.LOST, f"a replica at {server.kind}")
        elif found[file.content.sha256] > 1:
            world.ledger.note(Violation.DOUBLED, f"a replica at {server.kind}: {found[file.content.sha256]} times")
