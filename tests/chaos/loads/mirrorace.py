"""MirrorAce: uploads in parts by each of its three clients, and remote uploads."""

import asyncio
import random
import secrets
from typing import Any
from urllib.parse import urlsplit

from tests.chaos.client import Client
from tests.chaos.ledger import Content, KeptFile
from tests.chaos.world import World, api_key, new_account
from tests.contract.mirrorace.clients import CLIENTS

LIMIT = 200_000
"""The size of a chunk."""
BUSY = "Another request"


class Rejected(Exception):
    """An error of MirrorAce, whose status is 200."""


async def upload(world: World, chance: random.Random) -> None:
    owner = await new_account(world.address(chance))
    credentials = await api_key(owner)
    client = owner.stranger
    chunks, form = CLIENTS[chance.choice(sorted(CLIENTS))]
    data = secrets.token_bytes(16) + chance.randbytes(chance.randint(1, 4 * LIMIT))
    content = Content.of("in parts.bin", data)
    variables = await _result(client, "/api/v1/file/upload", fields=credentials)
    fields = [*credentials.items(), *((name, variables[name]) for name in ("cTracker", "upload_key"))]
    address = urlsplit(str(variables["server_file"]))
    result: dict[str, Any] = {}
    for header, payload in chunks(data, LIMIT):
        kind, body = form(fields, content.name, payload)
        headers = {"Content-Type": kind, "Content-Range": header}
        result = await _result(client, f"{address.path}?{address.query}", data=body, headers=headers)
    _keep(world, client, "parts", result, content)


async def remote(world: World, chance: random.Random) -> None:
    owner = await new_account(world.address(chance))
    credentials = await api_key(owner)
    client = owner.stranger
    manner = chance.choice(["whole", "breaks", "slow"])
    url, content = world.source.file(chance.getrandbits(40), chance.randint(1, 500_000), manner)
    variables = await _result(client, "/api/v1/file/upload", fields=credentials)
    tied = {name: variables[name] for name in ("cTracker", "upload_key")}
    result = await _result(client, "/api/v1/upload/remote", fields={**credentials, **tied, "url": url})
    _keep(world, client, "remote", result, content)


async def _result(client: Client, path: str, **sent: Any) -> Any:
    """The result of a call. A chunk that is still being written by an attempt that broke off is sent again."""
    while True:
        answer = (await client.ask("POST", path, 200, **sent)).json()
        if answer["status"] == "success":
            return answer["result"]
        if not str(answer["result"]).startswith(BUSY):
            raise Rejected(f"{path}: {answer['result']}")
        client.tally.retries["MirrorAce: being written"] += 1
        await asyncio.sleep(1)


def _keep(world: World, client: Client, kind: str, result: dict[str, Any], content: Content) -> None:
    path = f"/m/{result['slug']}/download"
    world.ledger.files.append(KeptFile(f"MirrorAce, {kind}", client, path, content))
    world.ledger.done(f"MirrorAce, {kind}")
