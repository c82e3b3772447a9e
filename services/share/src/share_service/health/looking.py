"""Looking at the health of the system: asks every service, and upload also whether it can store and give out files."""

import asyncio
from typing import Any, cast

from common.calls import NoAnswer
from common.errors import DomainError, Unavailable
from common.health import state_of
from common.remembered import Remembered
from share_service.context import Context
from share_service.health.model import Health, States, conclude

PATIENCE_SECONDS = 5.0
"""How long a part may take to answer."""
KEPT_SECONDS = 2.0
"""How old the health may be: everybody may ask for it, and looking is work."""


class CachedHealth:
    """The health of the system, a few seconds old at most."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen = Remembered()

    async def current(self) -> Health:
        """The health. Whatever is down, looking takes `PATIENCE_SECONDS` at most."""
        return await self._seen.answer("health", KEPT_SECONDS, lambda: look(self._context))


async def look(context: Context) -> Health:
    """The health of the system at this moment."""
    names = tuple(context.service_urls)
    own, content, services = await asyncio.gather(
        _own(context), _content(context), asyncio.gather(*(_service(context, name) for name in names))
    )
    return conclude({"share": own, **dict(zip(names, services, strict=True))}, content)


async def _own(context: Context) -> States:
    database, limits = await asyncio.gather(
        state_of(context.db.ready, PATIENCE_SECONDS), state_of(context.limiter.ready, PATIENCE_SECONDS)
    )
    return {"database": database, "limits": limits}


async def _content(context: Context) -> States:
    """Whether upload can store and give out files. The call needs a service token, as the call of a download does."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await context.upload.call("POST", "/internal/abilities")
    except DomainError as error:
        return dict.fromkeys(("sending", "fetching"), error.code)
    except TimeoutError:
        return dict.fromkeys(("sending", "fetching"), Unavailable.code)


async def _service(context: Context, name: str) -> States:
    """The states of a service's dependencies, as its readiness probe names them."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = await context.calls.send("GET", f"{context.service_urls[name]}/internal/health/ready")
        found: Any = answer.json()
    except (NoAnswer, TimeoutError, ValueError):
        return {"service": Unavailable.code}
    return cast("dict[str, str]", found)
