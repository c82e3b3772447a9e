"""FileCodeBox: forms, chunks, presigned uploads, and texts."""

import asyncio
import hashlib
import random
import secrets
from typing import Any

from tests.chaos.client import Client, expect
from tests.chaos.ledger import Content, KeptFile, KeptText
from tests.chaos.world import MIB, World

CHUNK = 5 * MIB
SMALL_CHUNK = 100_000


async def form(world: World, chance: random.Random) -> None:
    client = world.address(chance)
    data, content = world.content(chance)
    code = await share_file(client, data, content, expire_style="day", expire_value=1)
    keep(world, client, "form", code, content)


async def chunks(world: World, chance: random.Random) -> None:
    """A file in chunks, some of them at a time. Sometimes the client goes away and begins again."""
    client = world.address(chance)
    is_large = chance.random() < 0.2
    size = chance.randint(CHUNK + 1, world.large) if is_large else chance.randint(1, 5 * SMALL_CHUNK)
    data = secrets.token_bytes(16) + chance.randbytes(size)
    content, chunk_size = Content.of("in chunks.bin", data), CHUNK if is_large else SMALL_CHUNK
    asked = {
        "file_name": content.name,
        "file_size": content.size,
        "chunk_size": chunk_size,
        "file_hash": content.sha256,
    }
    begun = await detail(client, "POST", "/chunk/upload/init/", json=asked)
    pieces = {index: data[at : at + chunk_size] for index, at in enumerate(range(0, len(data), chunk_size))}
    if chance.random() < 0.1:
        await _send(client, begun["upload_id"], {0: pieces[0]})
        world.ledger.done("chunked upload given up")
        return
    if chance.random() < 0.3:
        await _send(client, begun["upload_id"], {0: pieces[0]})
        begun = await detail(client, "POST", "/chunk/upload/init/", json=asked)
        stored = begun["uploaded_chunks"]
        pieces = {index: piece for index, piece in pieces.items() if index not in stored}
    await _send(client, begun["upload_id"], pieces)
    wanted = {"expire_value": 1, "expire_style": "day"}
    code = (await detail(client, "POST", f"/chunk/upload/complete/{begun['upload_id']}", json=wanted))["code"]
    keep(world, client, "chunks", code, content)


async def _send(client: Client, upload_id: str, pieces: dict[int, bytes]) -> None:
    async def send(index: int, piece: bytes) -> None:
        path = f"/chunk/upload/chunk/{upload_id}/{index}"
        found = await detail(client, "POST", path, files={"chunk": ("blob", piece)})
        expect(found["chunk_hash"] == hashlib.sha256(piece).hexdigest(), f"{path}: {found}")

    await asyncio.gather(*(send(index, piece) for index, piece in pieces.items()))


async def presigned(world: World, chance: random.Random) -> None:
    client = world.address(chance)
    data, content = world.content(chance)
    asked = {"file_name": content.name, "file_size": content.size, "expire_value": 1, "expire_style": "day"}
    while True:
        begun = await detail(client, "POST", "/presign/upload/init", json=asked)
        answer = await client.ask("PUT", begun["upload_url"], 200, 404, files={"file": ("blob", data)})
        # 404: it was stored and used up by an attempt whose answer was lost, so the client begins again.
        if answer.status == 200:
            break
    keep(world, client, "presigned", answer.json()["detail"]["code"], content)


async def text(world: World, chance: random.Random) -> None:
    client = world.address(chance)
    said = secrets.token_hex(chance.randint(1, 5000))
    fields = {"text": said, "expire_style": "day", "expire_value": 1}
    code = (await detail(client, "POST", "/share/text/", fields=fields))["code"]
    world.ledger.texts.append(KeptText(client, code, said))
    world.ledger.done("text")


async def share_file(client: Client, data: bytes, content: Content, **fields: object) -> str:
    found = await detail(client, "POST", "/share/file/", files={"file": (content.name, data)}, fields=fields)
    return found["code"]


async def detail(client: Client, method: str, path: str, **sent: Any) -> Any:
    answer = (await client.ask(method, path, 200, **sent)).json()
    expect(answer["code"] == 200, f"{path}: {answer}")
    return answer["detail"]


def keep(world: World, client: Client, kind: str, code: str, content: Content) -> None:
    world.ledger.files.append(KeptFile(f"FileCodeBox, {kind}", client, f"/share/select/?code={code}", content))
    world.ledger.done(f"FileCodeBox, {kind}")
