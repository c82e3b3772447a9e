"""Rooms by the native API: a speaker, and listeners on a WebSocket and on an event stream."""

import asyncio
import json
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import ClientTimeout, WSMsgType

from tests.chaos.client import FAILURES, PAUSE, Client
from tests.chaos.ledger import Talk
from tests.chaos.world import World, new_account

OF_THE_MOMENT = {"presence", "typing", "reset"}
HEARD_PATIENCE = 60.0


class Listener:
    """Hears a room. Whenever the connection ends it opens another one, and resumes after what it heard last."""

    def __init__(self, client: Client, room: int) -> None:
        self.texts: list[str] = []
        self.resets = 0
        self._client, self._room = client, room
        self._after: str | None = None
        self.changed = asyncio.Condition()

    async def listen(self, by_socket: bool) -> None:
        while True:
            with suppress(*FAILURES):
                async for events in self._socket() if by_socket else self._stream():
                    await self._note(events)
            await asyncio.sleep(random.uniform(0, 2 * PAUSE))

    async def until_heard(self, text: str) -> bool:
        """Wait until this was heard, for a while."""
        try:
            async with asyncio.timeout(HEARD_PATIENCE), self.changed:
                await self.changed.wait_for(lambda: text in self.texts)
        except TimeoutError:
            return False
        return True

    async def _note(self, events: list[dict[str, str]]) -> None:
        async with self.changed:
            self.texts += [event["text"] for event in events if event["type"] == "message"]
            self.resets += sum(event["type"] == "reset" for event in events)
            for event in events:
                self._after = event.get("id") or event.get("last_event") or self._after
            self.changed.notify_all()

    async def _socket(self) -> AsyncIterator[list[dict[str, str]]]:
        path = f"/v1/rooms/{self._room}"
        ticket = (await self._client.ask("POST", f"{path}/tickets", 201)).json()["ticket"]
        after = {"after": self._after} if self._after else {}
        async with self._client.http.ws_connect(f"{path}/socket", params=after, heartbeat=20) as socket:
            await socket.send_json({"ticket": ticket})
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    yield json.loads(message.data)

    async def _stream(self) -> AsyncIterator[list[dict[str, str]]]:
        headers = dict(self._client.headers) | ({"Last-Event-ID": self._after} if self._after else {})
        timeout = ClientTimeout(total=None, sock_read=40)
        path = f"/v1/rooms/{self._room}/events"
        async with self._client.http.get(path, headers=headers, timeout=timeout) as answer:
            if answer.status != 200:
                await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
                return
            async for line in answer.content:
                if line.startswith(b"data:"):
                    data = json.loads(line.removeprefix(b"data:"))
                    yield data if isinstance(data, list) else [data]


async def room(world: World, chance: random.Random) -> None:
    """A room with two listeners, in which one speaks."""
    speaker, hearer = await new_account(world.address(chance)), await new_account(world.address(chance))

    def asked() -> dict[str, object]:
        return {"name": f"room {secrets.token_hex(6)}", "capacity": 1000, "lifetime_seconds": 3600}

    room_id = (await speaker.ask("POST", "/v1/rooms", 201, json=asked)).json()["id"]
    world.ledger.rooms.append((speaker, room_id))
    await hearer.ask("POST", f"/v1/rooms/{room_id}/join", 200, json={})
    path = f"/v1/rooms/{room_id}/messages"

    async def listed() -> list[str]:
        found = (await hearer.ask("GET", path, 200)).json()["messages"]
        return [message["text"] for message in found]

    talk = Talk("room", listed)
    world.ledger.talks.append(talk)
    listeners = [Listener(hearer, room_id), Listener(speaker, room_id)]
    tasks = [asyncio.create_task(each.listen(by_socket=number == 0)) for number, each in enumerate(listeners)]
    try:
        # A listener from the beginning hears everything.
        await greet(speaker, path, talk, listeners)
        for _ in range(chance.randint(20, 80)):
            await say(world, speaker, path, talk)
            await asyncio.sleep(chance.uniform(0, 0.3))
            if world.over.is_set():
                break
        last = talk.acknowledged[-1]
        await asyncio.gather(*(each.until_heard(last) for each in listeners))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    talk.heard = [each.texts for each in listeners if not each.resets]
    world.ledger.operations["listener"] += len(listeners)
    world.ledger.operations["listener that was reset"] += sum(each.resets > 0 for each in listeners)


async def greet(speaker: Client, path: str, talk: Talk, listeners: list[Listener]) -> None:
    """Speak until all listeners hear; what was said so far does not count."""
    while True:
        text = f"hello {secrets.token_hex(4)}"
        await speaker.ask("POST", path, 201, json={"text": text})
        talk.attempts.add(text)
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                await asyncio.gather(*(_heard(each, text) for each in listeners))
                break
    for each in listeners:
        each.texts.clear()


async def _heard(listener: Listener, text: str) -> None:
    async with listener.changed:
        await listener.changed.wait_for(lambda: text in listener.texts)


async def say(world: World, speaker: Client, path: str, talk: Talk) -> None:
    """Post a message until it is acknowledged. Each attempt is another text."""
    said = ""

    def message() -> dict[str, str]:
        nonlocal said
        said = secrets.token_hex(8)
        talk.attempts.add(said)
        return {"text": said}

    await speaker.ask("POST", path, 201, json=message)
    talk.acknowledged.append(said)
    world.ledger.done("message")
