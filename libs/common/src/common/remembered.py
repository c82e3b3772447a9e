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
        self._failed: dict[Hashable, tuple[float, Exception]] = {}
        """The last failures, with their moments, of questions for whose answers others may have waited."""
        self._lock = asyncio.Lock()

    async def answer(
        self,
        question: Hashable,
        seconds: float,
        find: Callable[[], Awaitable[Answer]],
        is_costly: Callable[[Answer], bool] = lambda _: True,
    ) -> Answer:
        """The answer that was found within the last `seconds`, or else what `find` finds: one is looked for at a time.

        An answer that was not costly is not remembered. An error is raised for all who waited meanwhile: otherwise each
        of them would wait in turn for a database that is down. The answers to one question are of one type.
        """
        asked_at = time.monotonic()
        async with self._lock:
            failed_at, error = self._failed.get(question, (0.0, None))
            if error and failed_at >= asked_at:
                raise error
            oldest = time.monotonic() - seconds
            self._answers = {asked: kept for asked, kept in self._answers.items() if kept[0] > oldest}
            if question in self._answers:
                return self._answers[question][1]
            self._failed.pop(question, None)
            try:
                found = await find()
            except Exception as failure:
                self._failed[question] = (time.monotonic(), failure)
                raise
            if is_costly(found):
                self._answers[question] = (time.monotonic(), found)
            return found
