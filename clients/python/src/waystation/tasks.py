"""Work in threads, and several things at once."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


async def in_thread(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """The result of the function, called in a thread. Its caller is canceled only when the thread has ended."""
    work = asyncio.create_task(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        with suppress(Exception):
            await work
        raise


async def ahead(blocks: Iterator[bytes]) -> AsyncGenerator[bytes]:
    """The blocks of an iterator that runs in a thread, and is one block ahead."""
    following = asyncio.create_task(asyncio.to_thread(next, blocks, b""))
    try:
        while block := await asyncio.shield(following):
            following = asyncio.create_task(asyncio.to_thread(next, blocks, b""))
            yield block
    finally:
        # A thread cannot be stopped, and the next one must not use the same iterator beside it.
        with suppress(Exception):
            await following


async def side_by_side(works: Iterable[Callable[[], Awaitable[None]]], most: int) -> None:
    """Do all of `works`, at most so many at once. The first error ends the others, and is raised."""
    turns = asyncio.Semaphore(most)

    async def in_turn(work: Callable[[], Awaitable[None]]) -> None:
        async with turns:
            await work()

    tasks = [asyncio.create_task(in_turn(work)) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION) if tasks else (set[Any](), None)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
