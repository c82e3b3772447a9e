"""The state that loads share: the clients, the ledger, the source of fetches, and the chance that the seed gives."""

import asyncio
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.client import Client, Clients
from tests.chaos.ledger import Content, Ledger
from tests.chaos.source import Source

MIB = 1024 * 1024
NAMES = (
    *("plain.bin", "ünï cödé 文件.bin", "with space & (more).bin", "a'b.tar.gz", "no-extension"),
    "very " * 20 + "long.bin",
)
PASSWORD = "a password of nobody's"


@dataclass(frozen=True, slots=True)
class World:
    clients: Clients
    ledger: Ledger
    source: Source
    mirrors: Sequence[int]
    mirroring: Client
    """The account whose files go to the mirrors."""
    administrator: Client
    over: asyncio.Event
    """Set when no load begins anything more."""
    large: int = 12 * MIB
    """The size of the largest files."""
    pool: list[bytes] = field(default_factory=list[bytes])
    """Contents that were sent before, to be sent again."""

    def content(self, chance: random.Random, largest: int | None = None) -> tuple[bytes, Content]:
        """Bytes to send, and their description: mostly small, sometimes the same as before."""
        if self.pool and largest is None and chance.random() < 0.1:
            data = chance.choice(self.pool)
        else:
            size = min(int(10 ** chance.uniform(0, 5.5)), largest or self.large)
            data = secrets.token_bytes(16) + chance.randbytes(size)
            if len(self.pool) < 50 and largest is None:
                self.pool.append(data)
        return data, Content.of(chance.choice(NAMES), data)

    def address(self, chance: random.Random) -> Client:
        """Somebody without an account."""
        return self.clients.at(chance.randrange(4))


async def new_account(client: Client) -> Client:
    """A client that is signed in to a new account."""
    name = f"somebody-{secrets.token_hex(6)}"
    asked = {"name": name, "password": PASSWORD}
    await client.ask("POST", "/v1/auth/register", 201, 409, json=asked)
    return await signed_in(client, name, PASSWORD)


async def signed_in(client: Client, name: str, password: str) -> Client:
    answer = await client.ask("POST", "/v1/auth/login", 200, json={"name": name, "password": password})
    return client.signed_in(f"Bearer {answer.json()['token']}")


async def api_key(owner: Client) -> dict[str, str]:
    """A new API key of an account."""
    made = (await owner.ask("POST", "/v1/account/keys", 201, json={"name": "chaos"})).json()
    return {"api_key": made["api_key"], "api_token": made["api_token"]}
