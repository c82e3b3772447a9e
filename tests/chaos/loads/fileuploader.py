"""File Uploader: uploads, links, and deletion by key."""

import random

from tests.chaos.client import Client, expect
from tests.chaos.ledger import Content, Gone, KeptFile
from tests.chaos.world import World, new_account


async def anonymous(world: World, chance: random.Random) -> None:
    await _upload(world, chance, world.address(chance))


async def of_account(world: World, chance: random.Random) -> None:
    """Somebody registers, uploads some files, and deletes one of them."""
    client = await new_account(world.address(chance))
    world.ledger.done("account")
    for _ in range(chance.randint(1, 4)):
        await _upload(world, chance, client)
    # Groups are a part of the protocol that is answered, and always refused.
    await client.ask("POST", "/api/upload/17", 404, files={"file": ("a.txt", b"x")})


async def _upload(world: World, chance: random.Random, client: Client) -> None:
    data, content = world.content(chance)
    is_signed_in = "Authorization" in client.headers
    path = "/api/upload/private" if is_signed_in or "." not in content.name else "/api/upload"
    answer = (await client.ask("POST", path, 200, files={"file": (content.name, data)})).json()
    expect(answer["synced"] == is_signed_in, f"an upload belongs to nobody: {answer['auth_error']}")
    link = f"/file/{answer['file_url']}"
    if chance.random() < 0.2:
        await _delete(world, client, answer["file_url"], answer["key"])
    else:
        _keep(world, client, link, content)


async def _delete(world: World, client: Client, file_url: str, key: str) -> None:
    # 404: it was deleted, and the answer was lost.
    await client.ask("GET", f"/api/delete/{file_url}?key={key}", 200, 404)
    world.ledger.gone.append(Gone("File Uploader, deleted", client, f"/file/{file_url}"))
    world.ledger.done("File Uploader, deleted")


def _keep(world: World, client: Client, link: str, content: Content) -> None:
    world.ledger.files.append(KeptFile("File Uploader", client, link, content))
    world.ledger.done("File Uploader, upload")
