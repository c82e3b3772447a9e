"""Everything that webhooks are to be told of was told at least once, and what concerns one subject in its order."""

import asyncio
import time
from uuid import UUID

from tests.chaos.client import Refused, Stuck
from tests.chaos.ledger import Violation
from tests.chaos.world import World

PATIENCE = 150.0


async def check(world: World) -> None:
    try:
        await _wait(world)
    except (Refused, Stuck) as error:
        world.ledger.note(Violation.STUCK, f"webhook: {error}")
    told, known = dict[UUID, list[str]](), set[str]()
    for name, event in world.source.told:
        subject = event["data"].get("share_id") or event["data"].get("file_id")
        # The same event comes again if the answer to it was lost.
        if subject and name not in known:
            told.setdefault(UUID(subject), []).append(event["type"])
        known.add(name)
    world.ledger.operations["event told"] = len(known)
    for expected in world.ledger.told:
        types = [name for name in told.get(UUID(expected.subject), []) if name in expected.types]
        if set(types) != set(expected.types):
            world.ledger.note(Violation.LOST, f"webhook: told of {types}, not of {expected.types}")
        elif types != list(expected.types):
            world.ledger.note(Violation.DISORDERED, f"webhook: told of {types}, not of {expected.types}")


async def _wait(world: World) -> None:
    """Wait until nothing is left to be told."""
    until, settled = time.monotonic() + PATIENCE, 0
    while settled < 2:
        (hook,) = (await world.administrator.ask("GET", "/v1/webhooks?everybody=true", 200)).json()["webhooks"]
        # Upload tells share of its events every five seconds.
        settled = 0 if hook["waiting"] else settled + 1
        if time.monotonic() > until:
            world.ledger.note(
                Violation.STUCK, f"webhook: {hook['waiting']} events are still to be told: {hook['error']}"
            )
            return
        await asyncio.sleep(6 if settled else 0.5)
