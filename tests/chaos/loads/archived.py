"""Files by PUT at the bare address, and shares of several items, which are fetched as one zip file."""

import asyncio
import hashlib
import random
import zlib
from base64 import b64encode
from datetime import datetime
from typing import Any
from urllib.parse import quote

from common.archive import Archive, Member
from tests.chaos.client import Client
from tests.chaos.ledger import Content, KeptFile
from tests.chaos.world import NAMES, World

TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


async def curl(world: World, chance: random.Random) -> None:
    client = world.address(chance)
    data, content = world.content(chance)
    sent = await client.ask("PUT", f"/{quote(content.name)}", 201, data=data)
    world.ledger.files.append(KeptFile("curl", client, f"/c/{sent.headers['Waystation-Code']}", content))
    world.ledger.done("curl")


async def archive(world: World, chance: random.Random) -> None:
    client = world.address(chance)
    files = [(chance.choice(NAMES), world.content(chance, 200_000)[0]) for _ in range(chance.randint(1, 4))]
    announced: list[dict[str, Any]] = [{"name": name, "size": len(data)} for name, data in files]
    asked = {"items": [*announced, {"name": "note.txt", "text": "a text"}], "title": "Kept"}
    share = (await client.ask("POST", "/v1/shares", 201, json=asked)).json()
    for item, (_, data) in zip(share["items"], files, strict=False):
        await fill(client, item["upload"], data)
    contents = [*files, ("note.txt", b"a text")]
    content = _archive(contents, datetime.fromisoformat(share["created_at"]))
    path = f"/v1/codes/{share['code']}/zip"
    await client.copy(path)
    world.ledger.files.append(KeptFile("archives", client, path, content))
    world.ledger.done("archives")


async def fill(client: Client, ticket: str, data: bytes) -> None:
    """Send the content of an item, from the beginning if a connection breaks, until it is there."""
    headers = {**TUS, "Upload-Length": str(len(data)), "Upload-Metadata": f"item {b64encode(ticket.encode()).decode()}"}
    while True:
        # 409: an attempt that was not answered has brought it.
        answer = await client.ask("POST", "/files/", 201, 409, headers=headers, data=data)
        if answer.status == 201 or answer.json()["code"] == "item_complete":
            return
        await asyncio.sleep(0.5)


def _archive(contents: list[tuple[str, bytes]], modified: datetime) -> Content:
    """The archive that these contents must become."""
    members = [Member(name, len(data), hashlib.sha256(data).digest()) for name, data in contents]
    planned = Archive(members, modified)
    every = [*(data for _, data in contents), planned.sums]
    made = b"".join(
        every[piece.index] if piece.kind == "content" else planned.made(piece, zlib.crc32(every[piece.index]))
        for piece in planned.pieces(0, planned.size)
    )
    return Content.of("Kept.zip", made)
