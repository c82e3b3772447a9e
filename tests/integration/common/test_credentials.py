"""The cache of credentials under many changes at once."""

import asyncio
import secrets
from uuid import uuid4

from common.credentials import CredentialCache, opaque_name
from common.identity import Identity, Role


async def test_hundreds_of_changes_at_once_are_all_made(valkey_url: str) -> None:
    cache = CredentialCache(valkey_url)
    identity = Identity(uuid4(), "someone", Role.USER, uuid4(), None)
    names = [opaque_name(secrets.token_hex(16)) for _ in range(300)]
    try:
        await asyncio.gather(*(cache.put(name, identity) for name in names))
        assert await asyncio.gather(*(cache.get(name) for name in names)) == [identity] * 300
        await asyncio.gather(*(cache.revoke([name]) for name in names))
        assert await asyncio.gather(*(cache.get(name) for name in names)) == [None] * 300
    finally:
        await cache.close()
