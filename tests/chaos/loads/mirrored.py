"""Files of an account whose files go to every mirror."""

import random
import secrets

from tests.chaos.client import expect
from tests.chaos.ledger import Content, Gone, KeptFile, MirroredFile
from tests.chaos.world import World


async def mirrored(world: World, chance: random.Random) -> None:
    client = world.mirroring
    data = secrets.token_bytes(16) + chance.randbytes(int(10 ** chance.uniform(0, 4.8)))
    content = Content.of(f"mirrored {secrets.token_hex(8)}.bin", data)
    sent = (await client.ask("POST", "/api/upload/private", 200, files={"file": (content.name, data)})).json()
    expect(sent["synced"], f"an upload with a valid token belongs to nobody: {sent['auth_error']}")
    # More than one, if an attempt was carried out and its answer was lost.
    file_ids = await _files_named(world, content.name)
    expect(bool(file_ids), "an own file that was just acknowledged is not listed")
    if chance.random() < 0.15:
        for file_id in file_ids:
            await client.ask("DELETE", f"/v1/files/{file_id}", 204, 404)
        world.ledger.gone.append(Gone("mirrored file, deleted", client, f"/file/{sent['file_url']}"))
    else:
        world.ledger.files.append(KeptFile("mirrored", client, f"/file/{sent['file_url']}", content))
        world.ledger.mirrored.append(MirroredFile(client, file_ids[0], content))
    world.ledger.done("mirrored file")


async def _files_named(world: World, name: str) -> list[str]:
    found = (await world.mirroring.ask("GET", "/v1/files?limit=50", 200)).json()["files"]
    return [file["id"] for file in found if file["name"] == name]
