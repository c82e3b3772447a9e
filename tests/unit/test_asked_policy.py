"""The policy that services remember while the share service does not answer."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from common import asked_policy
from common.asked_policy import AskedPolicy
from common.errors import Unavailable
from common.peers import Peer
from share_service.settings import PolicySettings


class Share:
    """The share service."""

    def __init__(self) -> None:
        self.is_there = True

    async def call(self, *_: object) -> dict[str, Any]:
        if not self.is_there:
            raise Unavailable
        return PolicySettings.model_validate({"database_url": "unused"}).policy().model_dump(mode="json")


def test_nobody_goes_on_with_a_policy_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(asked_policy, "time", SimpleNamespace(monotonic=lambda: now))
    share = Share()
    asked = AskedPolicy(cast("Peer", share))

    async def scenario() -> None:
        nonlocal now
        await asked.current()
        share.is_there = False
        now += asked_policy.STALE_SECONDS
        await asked.current()
        now += 1
        for _ in range(3):
            with pytest.raises(Unavailable):
                await asked.current()
        share.is_there = True
        await asked.current()

    asyncio.run(scenario())
