"""A room in which several accounts speak at once, one of them joining late. They repeat a send by its key."""

import asyncio
import random
import secrets

from tests.chaos.client import Client
from tests.chaos.ledger import Talk
from tests.chaos.loads.talking import Listener, greet
from tests.chaos.world import World, new_account


async def crowd(world: World, chance: random.Random) -> None:
    people = [await new_account(world.address(chance)) for _ in range(chance.randint(3, 5))]

    def asked() -> dict[str, object]:
        name = f"crowd {secrets.token_hex(6)}"
        return {"name": name, "is_private": True, "capacity": 1000, "lifetime_seconds": 3600}

    room_id = (await people[0].ask("POST", "/v1/rooms", 201, json=asked)).json()["id"]
    world.ledger.rooms.append((people[0], room_id))
    opened = f"/v1/rooms/{room_id}"
    invitation = (await people[0].ask("POST", f"{opened}/invitations", 201, json={})).json()["token"]
    key = {"invitation": invitation}
    for one in people[1:-1]:
        await one.ask("POST", f"{opened}/join", 200, json=key)
    talks = [Talk("crowd", lambda number=number: _listed(people[0], opened, number)) for number in range(len(people))]
    world.ledger.talks += talks
    listeners = [Listener(one, room_id) for one in people[:2]]
    tasks = [asyncio.create_task(each.listen(by_socket=number == 0)) for number, each in enumerate(listeners)]
    try:
        await greet(people[0], f"{opened}/messages", Talk("greeting", lambda: _listed(people[0], opened, 0)), listeners)

        async def take_part(number: int) -> None:
            if number == len(people) - 1:
                await people[number].ask("POST", f"{opened}/join", 200, json=key)
            for _ in range(chance.randint(10, 40)):
                await _say(world, people[number], opened, talks[number], number)
                await asyncio.sleep(chance.uniform(0, 0.4))
                if world.over.is_set():
                    break

        await asyncio.gather(*(take_part(number) for number in range(len(people))))
        for talk in talks:
            await asyncio.gather(*(each.until_heard(talk.acknowledged[-1]) for each in listeners))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    whole = [each.texts for each in listeners if not each.resets]
    for number, talk in enumerate(talks):
        talk.heard = [[text for text in texts if _is_by(number, text)] for texts in whole]


async def _say(world: World, speaker: Client, opened: str, talk: Talk, number: int) -> None:
    """Post a message until it is acknowledged. Each attempt is the same message."""
    said, key = f"{number} {secrets.token_hex(8)}", secrets.token_hex(8)
    talk.attempts.add(said)
    headers = {"Idempotency-Key": key}
    await speaker.ask("POST", f"{opened}/messages", 201, json={"text": said}, headers=headers)
    talk.acknowledged.append(said)
    world.ledger.done("message of a crowd")


async def _listed(reader: Client, opened: str, number: int) -> list[str]:
    found = (await reader.ask("GET", f"{opened}/messages", 200)).json()["messages"]
    return [message["text"] for message in found if _is_by(number, message["text"])]


def _is_by(number: int, text: str) -> bool:
    return text.startswith(f"{number} ")
