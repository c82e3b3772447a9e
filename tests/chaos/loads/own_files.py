"""The native API: shares that end at a moment, and files that their owners delete."""

import random
import time
from datetime import UTC, datetime, timedelta

from tests.chaos.client import expect
from tests.chaos.ledger import Gone, KeptFile, Told
from tests.chaos.world import World, new_account


async def expiring(world: World, chance: random.Random) -> None:
    """A file with a link of its own for some seconds, beside the one that stays."""
    client = await new_account(world.address(chance))
    data, content = world.content(chance)
    sent = (await client.ask("POST", "/api/upload/private", 200, files={"file": (content.name, data)})).json()
    listed = (await client.ask("GET", "/v1/files", 200)).json()["files"]
    expect(bool(listed), "an own file that was just acknowledged is not listed")
    file_id = listed[0]["id"]
    ends = time.time() + chance.uniform(2, 15)
    wanted = {"file_id": file_id, "form": "link", "expires_at": datetime.fromtimestamp(ends, UTC).isoformat()}
    share = (await client.ask("POST", "/v1/shares", 201, 400, 404, 422, json=wanted)).json()
    world.ledger.told.append(Told(file_id, ("file.arrived",)))
    if "code" in share and share.get("file_id") == file_id:
        world.ledger.gone.append(Gone("a link that expired", client, f"/f/{share['code']}", ends))
        world.ledger.done("link that expires")
    world.ledger.files.append(KeptFile("own file", client, f"/file/{sent['file_url']}", content))
    world.ledger.files.append(KeptFile("own file", client, f"/v1/files/{file_id}/content", content))


async def deleting(world: World, chance: random.Random) -> None:
    """A file is shared by a code, and then deleted with all its shares."""
    client = await new_account(world.address(chance))
    data, content = world.content(chance)
    sent = (await client.ask("POST", "/api/upload/private", 200, files={"file": (content.name, data)})).json()
    shared = 0
    for file in (await client.ask("GET", "/v1/files", 200)).json()["files"]:
        expires = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        wanted = {"file_id": file["id"], "form": "link", "downloads": 5, "expires_at": expires}
        answer = await client.ask("POST", "/v1/shares", 201, 404, json=wanted)
        if answer.status == 404:
            # It came by an attempt without an answer, and such a file is removed again.
            continue
        shared += 1
        share = answer.json()
        await client.ask("DELETE", f"/v1/files/{file['id']}", 204, 404)
        world.ledger.gone.append(Gone("deleted file, link", client, f"/f/{share['code']}"))
        world.ledger.gone.append(Gone("deleted file", client, f"/v1/files/{file['id']}/content"))
    expect(shared > 0, "an own file that was just acknowledged cannot be shared")
    world.ledger.gone.append(Gone("deleted file, first link", client, f"/file/{sent['file_url']}"))
    world.ledger.done("file deleted")
