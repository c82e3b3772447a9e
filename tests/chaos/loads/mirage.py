"""Mirage: rooms, files in rooms, and the inbox."""

import asyncio
import random
import secrets
from urllib.parse import urlsplit

from tests.chaos.client import Client
from tests.chaos.ledger import KeptFile, Talk
from tests.chaos.world import World, signed_in

PASSWORD = "correct horse battery"


async def room(world: World, chance: random.Random) -> None:
    """A private room in which two people write, and one sends files."""
    (owner, owner_name), (guest, _) = await user(world.address(chance)), await user(world.address(chance))
    name = ""

    def asked() -> dict[str, object]:
        nonlocal name
        name = f"room {secrets.token_hex(6)}"
        return {"room_name": name, "is_private": 1, "password": PASSWORD}

    room_id = (await owner.ask("POST", "/api/create_room", 201, json=asked)).json()["room_id"]
    world.ledger.rooms.append((await signed_in(owner.stranger, owner_name, PASSWORD), room_id))
    await guest.ask("POST", "/api/join_room", 200, 400, json={"name": name, "password": PASSWORD})

    async def listed() -> list[str]:
        found = (await guest.ask("GET", f"/api/get_room_messages?room_id={room_id}", 200)).json()["messages"]
        return [row["message"] for row in found]

    talk = Talk("Mirage's room", listed)
    world.ledger.talks.append(talk)
    for _ in range(chance.randint(5, 30)):
        await _say(world, owner, "/api/send_room_message", talk, room_id=room_id)
        if chance.random() < 0.15:
            await _post_file(world, chance, owner, room_id, talk)
        await asyncio.sleep(chance.uniform(0, 0.4))
        if world.over.is_set():
            break


async def inbox(world: World, chance: random.Random) -> None:
    """One person writes to another."""
    (sender, _), (recipient, name) = await user(world.address(chance)), await user(world.address(chance))

    async def listed() -> list[str]:
        found = (await recipient.ask("GET", "/api/inbox", 200)).json()["messages"]
        return [row["message"] for row in reversed(found)]

    talk = Talk("inbox", listed)
    world.ledger.talks.append(talk)
    for _ in range(chance.randint(1, 10)):
        await _say(world, sender, "/api/send_inbox_message", talk, recipient=name)
        await asyncio.sleep(chance.uniform(0, 0.4))


async def _post_file(world: World, chance: random.Random, owner: Client, room_id: int, talk: Talk) -> None:
    data, content = world.content(chance)
    form = {"file": (content.name, data)}
    answer = await owner.ask("POST", "/api/upload_file", 200, again={500}, fields={"room_id": room_id}, files=form)
    url = answer.json()["file_url"]
    world.ledger.files.append(KeptFile("Mirage", owner.stranger, urlsplit(url).path, content))
    talk.acknowledged.append(url)
    talk.attempts.add(url)
    world.ledger.done("Mirage, file")


async def _say(world: World, speaker: Client, path: str, talk: Talk, **where: object) -> None:
    said = ""

    def message() -> dict[str, object]:
        nonlocal said
        said = secrets.token_hex(8)
        talk.attempts.add(said)
        return {**where, "message": said}

    await speaker.ask("POST", path, 200, json=message)
    talk.acknowledged.append(said)
    world.ledger.done(f"{talk.kind}, message")


async def user(client: Client) -> tuple[Client, str]:
    """A new user, logged in, and their name."""
    name = f"user {secrets.token_hex(6)}"
    asked = {"username": name, "email": f"{secrets.token_hex(6)}@example.org", "password": PASSWORD}
    # 400: it was registered, and the answer was lost.
    await client.ask("POST", "/api/register", 201, 400, json=asked)
    token = (await client.ask("POST", "/api/login", 200, json=asked)).json()["token"]
    return client.signed_in(token), name
