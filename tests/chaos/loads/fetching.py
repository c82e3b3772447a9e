"""Files that the system fetches from a URL."""

import random

from tests.chaos.ledger import WantedFetch
from tests.chaos.world import World, new_account


async def fetch(world: World, chance: random.Random) -> None:
    """Some fetches: most of them succeed, one finds nothing, and one is canceled."""
    client = await new_account(world.address(chance))
    for _ in range(chance.randint(1, 3)):
        manner = chance.choice(["whole", "breaks", "slow"])
        url, content = world.source.file(chance.getrandbits(40), chance.randint(1, 2_000_000), manner)
        asked = {"url": url, "sha256": content.sha256}
        fetch_id = (await client.ask("POST", "/v1/fetches", 202, json=asked)).json()["id"]
        if chance.random() < 0.15:
            answer = await client.ask("DELETE", f"/v1/fetches/{fetch_id}", 204, 404, 409)
            state = "canceled" if answer.status == 204 else "settled"
            world.ledger.fetches.append(WantedFetch(client, fetch_id, state))
        else:
            world.ledger.fetches.append(WantedFetch(client, fetch_id, "done", content))
        world.ledger.done("fetch")
    if chance.random() < 0.2:
        fetch_id = (await client.ask("POST", "/v1/fetches", 202, json={"url": world.source.missing()})).json()["id"]
        world.ledger.fetches.append(WantedFetch(client, fetch_id, "failed"))
        world.ledger.done("fetch of nothing")
