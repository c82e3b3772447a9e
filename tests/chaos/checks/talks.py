"""Every acknowledged message is in its place once, in order, and was heard once by each listener."""

from collections import Counter
from collections.abc import Sequence

from tests.chaos.checks.contents import each
from tests.chaos.client import Refused, Stuck
from tests.chaos.ledger import Ledger, Talk, Violation
from tests.chaos.world import World


async def check(world: World) -> None:
    async def one(talk: Talk) -> None:
        await _check(world.ledger, talk)

    await each(world.ledger.talks, one)


async def _check(ledger: Ledger, talk: Talk) -> None:
    try:
        found = await talk.listed()
    except (Refused, Stuck) as error:
        ledger.note(Violation.LOST, f"{talk.kind}: {error}")
        return
    compare(ledger, f"{talk.kind}, listed", talk, found)
    for heard in talk.heard:
        compare(ledger, f"{talk.kind}, heard", talk, heard)
        order = [text for text in heard if text in talk.attempts]
        if order != [text for text in found if text in set(heard)]:
            ledger.note(Violation.DISORDERED, f"{talk.kind}: heard in another order than listed")


def compare(ledger: Ledger, where: str, talk: Talk, found: Sequence[str]) -> None:
    """Note what is wrong with what was found in a place, or heard of it."""
    times = Counter(found)
    for text in talk.acknowledged:
        if not times[text]:
            ledger.note(Violation.LOST, f"{where}: a message")
    for text, count in times.items():
        if count > 1:
            ledger.note(Violation.DOUBLED, f"{where}: a message {count} times")
        # A file's link is made by the service, so it is unknown if the answer to its upload was lost.
        if text not in talk.attempts and not text.startswith("http"):
            ledger.note(Violation.CORRUPT, f"{where}: a message that nobody sent")
    wanted = set(talk.acknowledged)
    if [text for text in dict.fromkeys(found) if text in wanted] != [text for text in talk.acknowledged if times[text]]:
        ledger.note(Violation.DISORDERED, where)
