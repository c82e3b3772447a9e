"""Waiting between attempts, for as long as patience lasts without any progress."""

import asyncio
import random
import time
from email.utils import parsedate_to_datetime

from waystation.errors import Temporary

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0


class Attempts:
    """The attempts at one thing. Patience begins again whenever it gets further."""

    def __init__(self, patience: float) -> None:
        """`patience`: how many seconds to go on trying without progress."""
        self._patience = patience
        self.progressed()

    def progressed(self) -> None:
        self._since = time.monotonic()
        self._count = 0

    async def pause(self, error: Temporary) -> None:
        """Wait before the next attempt. Raises `error` if that would be beyond the patience."""
        pause = min(FIRST_PAUSE * 2**self._count, LONGEST_PAUSE) * random.uniform(0.5, 1)  # noqa: S311 (spreads load)
        pause = max(pause, error.retry_after or 0)
        if time.monotonic() + pause - self._since > self._patience:
            raise error
        self._count += 1
        await asyncio.sleep(pause)


def retry_after(header: str | None) -> float | None:
    """The seconds that `Retry-After` asks for, as a number or a date; None if it asks for none."""
    text = (header or "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
