"""tus: uploads in patches, resumed where a `HEAD` says; some in pieces side by side, and some given up."""

import asyncio
import random
import secrets
from base64 import b64encode
from urllib.parse import urlsplit

from tests.chaos.client import FAILURES, PAUSE, Client, expect
from tests.chaos.ledger import Content, KeptFile
from tests.chaos.world import World

PROTOCOL = {"Tus-Resumable": "1.0.0"}
NAME = "by tus.bin"
METADATA = ",".join(
    f"{name} {b64encode(value.encode()).decode()}"
    for name, value in {"filename": NAME, "expire_style": "day", "expire_value": "1"}.items()
)
PATCH = 300_000
"""The most bytes of one patch."""


async def tus(world: World, chance: random.Random) -> None:
    client = world.address(chance)
    size = chance.randint(1, world.large) if chance.random() < 0.1 else chance.randint(0, 4 * PATCH)
    data = secrets.token_bytes(16) + chance.randbytes(size)
    if chance.random() < 0.1:
        await _patch(client, await _begin(client, **{"Upload-Length": str(len(data) + 1)}), data, chance)
        world.ledger.done("tus upload given up")
        return
    if chance.random() < 0.25:
        url = await _in_pieces(client, data, chance)
    else:
        url = await _begin(client, **{"Upload-Length": str(len(data)), "Upload-Metadata": METADATA})
        await _patch(client, url, data, chance)
    found = await client.ask("HEAD", url, 200, headers=PROTOCOL)
    expect(found.headers["Upload-Offset"] == str(len(data)), f"tus: {found.headers['Upload-Offset']} of {len(data)}")
    path = f"/share/select/?code={found.headers['Waystation-Code']}"
    world.ledger.files.append(KeptFile("tus", client, path, Content.of(NAME, data)))
    world.ledger.done("tus")


async def _in_pieces(client: Client, data: bytes, chance: random.Random) -> str:
    """Send two pieces at a time, and join them; the path of the whole."""
    middle = len(data) // 2

    async def piece(part: bytes) -> str:
        url = await _begin(client, **{"Upload-Length": str(len(part)), "Upload-Concat": "partial"})
        await _patch(client, url, part, chance)
        return url

    urls = await asyncio.gather(piece(data[:middle]), piece(data[middle:]))
    return await _begin(client, **{"Upload-Concat": f"final;{' '.join(urls)}", "Upload-Metadata": METADATA})


async def _begin(client: Client, **headers: str) -> str:
    """Create an upload; its path."""
    made = await client.ask("POST", "/files/", 201, headers={**PROTOCOL, **headers})
    return urlsplit(made.headers["Location"]).path


async def _patch(client: Client, url: str, data: bytes, chance: random.Random) -> None:
    """Send all of the content, whatever becomes of single patches."""
    offset = 0
    while offset < len(data):
        patch = data[offset : offset + chance.randint(1, PATCH)] if chance.random() < 0.8 else data[offset:]
        headers = {**PROTOCOL, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        try:
            answer = await client.once("PATCH", url, data=patch, headers=headers)
        except FAILURES:
            client.tally.retries["connection broke"] += 1
            await asyncio.sleep(random.uniform(0, 2 * PAUSE))
        else:
            if answer.status != 204:
                await asyncio.sleep(client.pause_after("PATCH", url, answer))
        known = await client.ask("HEAD", url, 200, headers=PROTOCOL)
        offset = int(known.headers["Upload-Offset"])
