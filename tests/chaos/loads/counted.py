"""Codes that may be used a limited number of times, and more people who want them than there are uses."""

import asyncio
import random
import secrets
import time
from functools import partial

from aiohttp import ClientConnectorError

from share_service.downloads.asks import head_of
from tests.chaos.client import FAILURES, PATIENCE, PAUSE, Answer, Client, Copy, Stuck
from tests.chaos.ledger import Content, Counted, Ledger, Violation
from tests.chaos.loads.filecodebox import detail, share_file
from tests.chaos.world import MIB, World

PEOPLE = 4
"""At most as many clients want the same code."""
FIRST_ADDRESS = 10


async def counted_file(world: World, chance: random.Random) -> None:
    data, content = world.content(chance, 3 * MIB if chance.random() < 0.2 else 300_000)
    uses = chance.randint(1, 3)
    code = await share_file(world.address(chance), data, content, expire_style="count", expire_value=uses)
    share = Counted(code, uses, content)
    world.ledger.counted.append(share)
    world.ledger.done("counted code")
    wanted = chance.randint(1, PEOPLE)
    people = [world.clients.at(FIRST_ADDRESS + number) for number in range(wanted)]
    ranged = [chance.random() < 0.5 for _ in people]
    copies = [download(world, person, share, is_ranged) for person, is_ranged in zip(people, ranged, strict=True)]
    await asyncio.gather(*copies)


async def counted_text(world: World, chance: random.Random) -> None:
    said, uses = secrets.token_hex(50), chance.randint(1, 3)
    fields = {"text": said, "expire_style": "count", "expire_value": uses}
    code = (await detail(world.address(chance), "POST", "/share/text/", fields=fields))["code"]
    share = Counted(code, uses, Content.of("", said.encode()), said)
    world.ledger.counted.append(share)
    world.ledger.done("counted text")
    people = [world.clients.at(FIRST_ADDRESS + number) for number in range(chance.randint(1, PEOPLE))]
    await asyncio.gather(*(take_text(world, person, share) for person in people))


async def download(world: World, client: Client, share: Counted, is_ranged: bool = False) -> bool:
    """Get one copy; False if there is none to be had any more."""
    copy = Copy()
    path = f"/share/select/?code={share.code}"
    if not await _receive(world, client, share, path, copy, is_ranged):
        return False
    if (copy.size, copy.sha256) != (share.content.size, share.content.sha256):
        world.ledger.note(Violation.CORRUPT, f"counted {share.code}: {copy.size} of {share.content.size} bytes")
    world.ledger.done("counted download")
    return True


async def _receive(world: World, client: Client, share: Counted, path: str, copy: Copy, is_ranged: bool) -> bool:
    is_served, head = False, head_of(share.content.size)

    def begun() -> None:
        nonlocal is_served
        share.served += not is_served
        is_served = True

    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            answer = await client.receive(path, copy, begun, "bytes=0-" if is_ranged else None)
        except FAILURES as error:
            # A connection that was refused has taken nothing. A use buys the head of the file twice, and no third time.
            share.unanswered += copy.size <= head and not isinstance(error, ClientConnectorError)
            client.tally.retries["connection broke"] += 1
            await asyncio.sleep(random.uniform(0, 2 * PAUSE))
            continue
        if answer is None:
            return True
        if _is_over(answer):
            if copy.size > head:
                world.ledger.note(Violation.LOST, f"counted {share.code}: a copy could not be continued")
            return False
        share.unanswered += copy.size <= head
        await asyncio.sleep(client.pause_after("GET", path, answer))
    raise Stuck(f"a counted download: {path}")


async def take_text(world: World, client: Client, share: Counted) -> bool:
    """Get the text once; False if it is used up."""

    def failed(problem: str) -> None:
        share.unanswered += problem != ClientConnectorError.__name__

    path = "/share/select/"
    answer = await client.ask("POST", path, 200, 404, json={"code": share.code}, failed=failed)
    if _is_over(answer):
        return False
    share.served += 1
    if answer.json()["detail"]["text"] != share.text:
        world.ledger.note(Violation.CORRUPT, f"counted text {share.code}")
    world.ledger.done("counted text taken")
    return True


def _is_over(answer: Answer) -> bool:
    """Whether the share has ended. FileCodeBox says so with status 200."""
    if answer.status in (404, 410):
        return True
    return answer.status == 200 and answer.json()["code"] == 404


async def drain(world: World, share: Counted) -> None:
    """Take the uses that are left, and one more, and judge the sum."""
    take = take_text if share.text is not None else partial(download, is_ranged=False)
    for number in range(share.uses + 1):
        # Each time another address, so that no lease covers a second copy.
        if not await take(world, world.clients.at(FIRST_ADDRESS + PEOPLE + number), share):
            break
    judge(world.ledger, share)


def judge(ledger: Ledger, share: Counted) -> None:
    kind = "text" if share.text is not None else "file"
    if share.served > share.uses:
        ledger.note(Violation.OVERSPENT, f"counted {kind} {share.code}: {share.served} of {share.uses} uses")
    unused = share.uses - share.served
    if unused > share.unanswered:
        lost = f"{unused} uses, {share.unanswered} requests without an answer"
        ledger.note(Violation.LOST, f"counted {kind} {share.code}: {lost}")
    ledger.uses_taken_unanswered[kind] += max(0, min(unused, share.unanswered))
