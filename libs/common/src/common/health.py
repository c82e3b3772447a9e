"""The states of dependencies, in the words that services use among themselves: `ok`, or the code of an error."""

import asyncio
from collections.abc import Awaitable, Callable

from common.errors import DomainError, Unavailable

OK = "ok"


async def state_of(check: Callable[[], Awaitable[object]], patience: float) -> str:
    """`ok` if the check returns, else the code of its `DomainError`; `unavailable` if it takes `patience` seconds."""
    try:
        async with asyncio.timeout(patience):
            await check()
    except DomainError as error:
        return error.code
    except TimeoutError:
        return Unavailable.code
    return OK
