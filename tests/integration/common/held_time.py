"""Time that a test holds and moves on: patience is then proven without waiting, on a busy machine too."""

import asyncio
import time
from types import SimpleNamespace

import pytest

SETTLED = 50
"""Turns of the event loop after which nothing more follows by itself from what was done."""


class HeldTime:
    """The time of the running event loop, and of the modules that read `time.monotonic`, until the test ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
        """`modules` are those whose name `time` is to mean this time."""
        self._now = time.monotonic()
        monkeypatch.setattr(asyncio.get_running_loop(), "time", self._read)
        for module in modules:
            monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=self._read))

    def _read(self) -> float:
        return self._now

    async def advance(self, seconds: float) -> None:
        """Let that much time pass, and everything happen that waited for it."""
        self._now += seconds
        for _ in range(SETTLED):
            await asyncio.sleep(0)
