"""Remembering for some seconds what is costly to find out, which is done once for all who ask meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Remembered:
    """Answers to questions of one kind. Each process has its own."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, tuple[float, Any]] = {}
        """With the moments at which they were found."""
        self._lock = asyncio.Lock()

    async def answer(
        self,
        question: Hashable,
        seconds: float,
        find: Callable[[], Awaitable[Answer]],
        is_costly: Callable[[Answer], bool] = lambda _: True,
    ) -> Answer:
        """The answer that was found within the last `seconds`, or else what `find` finds: one is looked for at a time.

        An answer that was not costly, and an error, is not remembered. The answers to one question are of one type.
        """
        async with self._lock:
            oldest = time.monotonic() - seconds
            self._answers = {asked: kept for asked, kept in self._answers.items() if kept[0] > oldest}
            if question in self._answers:
                return self._answers[question][1]
            found = await find()
            if is_costly(found):
                self._answers[question] = (time.monotonic(), found)
            return found
