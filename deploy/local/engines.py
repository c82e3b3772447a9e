"""The engines alone, for what has to be done while the system does not run."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from deploy.local import plan, ports
from deploy.local.child import Child
from deploy.local.credentials import Credentials
from deploy.local.log import Log
from deploy.local.program import Program
from deploy.local.services import Services
from deploy.local.settings import StackSettings
from deploy.local.supervisor import READY_SECONDS


class EnginesFailed(Exception):
    """The engines did not start. The log says why."""


@asynccontextmanager
async def running_engines(
    settings: StackSettings, known: Credentials, log: Log, further: Program | None = None
) -> AsyncGenerator[Services]:
    """The engines of the stack, and one `further` program, for the block. The caller has locked the data folder.

    Raises `EnginesFailed`.
    """
    chosen: dict[str, int] = dict(zip(plan.INTERNAL, ports.choose(len(plan.INTERNAL)), strict=True))
    database = await plan.prepare_database(settings, known)
    programs = [*plan.engines(settings, known, database, chosen), *([further] if further else [])]
    children = [Child(program, settings.data, log, lambda: None) for program in programs]
    try:
        for child in children:
            child.start()
        await _all_ready(children)
        yield Services(settings, known, plan.addresses(settings, known, chosen))
    finally:
        await asyncio.gather(*(child.stop() for child in children))


async def _all_ready(children: Sequence[Child]) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            await asyncio.gather(*(child.wait_ready() for child in children))
    except TimeoutError:
        raise EnginesFailed(f"not ready after {READY_SECONDS:g} s; the logs of the engines are above") from None
