"""A cursor that adds its statements to the trace under way: by the names of the functions that send them.

Each statement has a function of its own, so the name says as much as the statement would, and no value is in it.
"""

from inspect import currentframe
from typing import Any

from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from common import tracing

_BETWEEN = ("psycopg", "common.db", "contextlib")
"""Modules between a statement's function and this one."""


class TracedCursor(AsyncCursor[TupleRow]):
    """The cursor of every connection while traces are on."""

    async def execute(self, *args: Any, **kwargs: Any) -> Any:
        with _step():
            return await super().execute(*args, **kwargs)

    async def executemany(self, *args: Any, **kwargs: Any) -> None:
        with _step():
            await super().executemany(*args, **kwargs)


def _step() -> tracing.Step:
    if not tracing.is_recording():
        return tracing.NO_STEP
    return tracing.step(_sender(), attributes={"db.system.name": "postgresql"})


def _sender() -> str:
    frame = currentframe()
    while frame and str(frame.f_globals.get("__name__", "")).startswith(_BETWEEN):
        frame = frame.f_back
    if frame is None:
        return "a statement"
    module = str(frame.f_globals.get("__name__", ""))
    return f"{module.rpartition('.')[2]}.{frame.f_code.co_name}"
