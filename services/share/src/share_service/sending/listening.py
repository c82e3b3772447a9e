"""The accounts that watch shares. They hear nothing any more once the credential that they watch by has ended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from common import logging
from common.cancelling import cancel
from common.credentials import changes
from common.errors import Unavailable
from common.identities import Identities
from common.identity import CredentialError, Identity

AGAIN_SECONDS = 0.5


@dataclass(eq=False, slots=True)
class Listener:
    """Somebody who watches a share. `identity` None: a guest, who shows the share's key or code."""

    identity: Identity | None = None
    credential: str = ""
    """The name of the credential that the account watches by."""
    is_over: asyncio.Event = field(default_factory=asyncio.Event)


class Listeners:
    """The accounts that watch shares at this process.

    async with listeners.running(): ...
    """

    def __init__(self, valkey_url: str, identities: Identities) -> None:
        self._valkey_url, self._identities = valkey_url, identities
        self._listening: dict[str, set[Listener]] = {}
        self._log = logging.get(__name__)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """End listeners as soon as their credentials end, for as long as the block runs."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            await cancel(task)

    @asynccontextmanager
    async def listening(self, listener: Listener) -> AsyncGenerator[None]:
        """Within the block, the listener is told when its credential ends. Raises `Unavailable`."""
        name = listener.credential
        if not name:
            yield
            return
        self._listening.setdefault(name, set()).add(listener)
        try:
            # It may have ended a moment before.
            await self._check(name)
            yield
        finally:
            others = self._listening[name]
            others.discard(listener)
            if not others:
                del self._listening[name]

    async def _run(self) -> None:
        while True:
            try:
                async with aclosing(changes(self._valkey_url)) as found:
                    async for name in found:
                        for each in list(self._listening) if name is None else [name]:
                            await self._check(each)
            except Unavailable:
                self._log.warning("ended credentials are not heard of until Valkey and auth answer")
            except Exception:  # noqa: BLE001  (it is logged, with its stack)
                self._log.exception("ended credentials were not heard of")
            await asyncio.sleep(AGAIN_SECONDS)

    async def _check(self, name: str) -> None:
        """End the listeners of a credential that is not valid any more; otherwise go by its account as it is now."""
        if name not in self._listening:
            return
        try:
            identity = await self._identities.of_name(name)
        except CredentialError:
            identity = None
        for each in self._listening.get(name, ()):
            if identity is None:
                each.is_over.set()
            else:
                each.identity = identity
