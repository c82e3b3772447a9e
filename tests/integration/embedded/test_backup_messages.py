"""The keys of rooms in a backup."""

import secrets
from pathlib import Path

import pytest
import redis

from deploy.backup import messages


async def test_keys_come_back_and_those_of_a_later_valkey_are_refused(tmp_path: Path, valkey_url: str) -> None:
    key, kept = f"room:{secrets.token_hex(8)}", tmp_path / "messages"
    with redis.Redis.from_url(valkey_url) as valkey:
        valkey.set(key, "said", px=60_000)
        assert await messages.dump(valkey_url, kept) >= 1
        valkey.delete(key)
        await messages.restore(valkey_url, kept)
        assert valkey.get(key) == b"said"
        assert 0 < int(str(valkey.pttl(key))) <= 60_000
        # The version stands before the checksum of eight bytes at the end of each entry.
        content = bytearray(kept.read_bytes())
        content[-10:-8] = b"\xff\xff"
        kept.write_bytes(content)
        with pytest.raises(messages.OlderValkey):
            await messages.restore(valkey_url, kept)
        valkey.delete(key)
