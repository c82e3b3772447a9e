"""Drop-offs: strangers send files to an account, which a webhook of the place is told of."""

import asyncio
import random

from tests.chaos.ledger import Content, KeptFile, Told
from tests.chaos.loads.archived import fill
from tests.chaos.world import World, new_account

NAME = "sent.bin"


async def drop_off(world: World, chance: random.Random) -> None:
    owner = await new_account(world.address(chance))
    drop = (await owner.ask("POST", "/v1/drops", 201, json={"title": "Send it here"})).json()
    sender = world.address(chance)
    for _ in range(chance.randint(1, 2)):
        data, _ = world.content(chance, 200_000)
        asked = {"items": [{"name": NAME, "size": len(data)}, {"name": "note.txt", "text": "a text"}]}
        sent = (await sender.ask("POST", f"/v1/drops/{drop['code']}/shares", 201, json=asked)).json()
        await fill(sender, sent["items"][0]["upload"], data)
        while not (share := (await owner.ask("GET", f"/v1/shares/{sent['id']}", 200)).json())["complete"]:
            await asyncio.sleep(0.5)
        path = f"/v1/codes/{share['code']}/items/{share['items'][0]['id']}"
        world.ledger.files.append(KeptFile("drop-off", owner, path, Content.of(NAME, data)))
        world.ledger.told.append(Told(sent["id"], ("share.complete", "drop.filled")))
        world.ledger.done("drop-off")
