"""Everything that webhooks are to be told of was told at least once, and what concerns one subject in its order."""

import asyncio
import time
from contextlib import closing
from uuid import UUID

from deploy.local.stack import RunningStack
from tests.chaos.client import Refused, Stuck
from tests.chaos.ledger import Violation
from tests.chaos.world import World
from tests.contract.traces import Traces

PATIENCE = 150.0
TAKEN_UP = "update webhook set due_at = now() where due_at < now() + interval '61 seconds'"
"""A process that was killed has the webhook to itself for a minute. One that is due later than that is a fault."""
PAUSED = "update webhook set due_at = now() where failures > 0 and due_at < now() + interval '30 seconds'"
"""The pause after a call that failed. Nobody has taken the webhook up: its time would be further away."""


async def check(world: World, stack: RunningStack) -> None:
    try:
        with closing(Traces(stack)) as traces:
            await _wait(world, traces)
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


async def _wait(world: World, traces: Traces) -> None:
    """Wait until nothing is left to be told. What would come by itself in a minute is hurried."""
    until, settled = time.monotonic() + PATIENCE, 0
    share = traces.database("share")
    share.execute(TAKEN_UP)
    while settled < 2:
        share.execute(PAUSED)
        (hook,) = (await world.administrator.ask("GET", "/v1/webhooks?everybody=true", 200)).json()["webhooks"]
        # Upload tells share of its events every five seconds.
        settled = 0 if hook["waiting"] else settled + 1
        if time.monotonic() > until:
            world.ledger.note(
                Violation.STUCK, f"webhook: {hook['waiting']} events are still to be told: {hook['error']}"
            )
            return
        await asyncio.sleep(6 if settled else 0.5)
