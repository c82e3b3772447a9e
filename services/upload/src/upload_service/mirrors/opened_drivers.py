"""The drivers of the mirrors that this process works with, opened when they are first used."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from upload_service.mirrors.drivers import Driver, Rules, check_options, open_driver
from upload_service.mirrors.model import Mirror
from upload_service.mirrors.sealing import Sealer


@dataclass(slots=True)
class _Opened:
    driver: Driver
    changed_at: datetime
    users: int = 0


class MirrorDrivers:
    """Opens the drivers of mirrors, and the sealed options that they need.

    After a change, a mirror gets a new driver; the old one is closed when its last user has finished.
    """

    def __init__(self, sealer: Sealer, rules: Rules) -> None:
        self.sealer = sealer
        self._rules = rules
        self._opened: dict[int, _Opened] = {}

    def check(self, kind: str, options: Mapping[str, str]) -> None:
        """Raise `OptionsInvalid` unless a mirror of this kind can have these options."""
        check_options(kind, options, self._rules)

    @asynccontextmanager
    async def of(self, mirror: Mirror) -> AsyncGenerator[Driver]:
        """The mirror's driver, for the block. Raises `Unsealable`, or `OptionsInvalid` for options no longer valid.

        A caller that read the mirror before a change gets the driver for the mirror after it.
        """
        opened = self._opened.get(mirror.id)
        if opened is None or opened.changed_at < mirror.changed_at:
            before, driver = opened, open_driver(mirror.kind, self.sealer.open(mirror.options), self._rules)
            opened = self._opened[mirror.id] = _Opened(driver, mirror.changed_at)
        else:
            before = None
        opened.users += 1
        try:
            if before and not before.users:
                await before.driver.close()
            yield opened.driver
        finally:
            opened.users -= 1
            if not opened.users and self._opened.get(mirror.id) is not opened:
                await opened.driver.close()

    async def close(self) -> None:
        """Close every driver."""
        opened, self._opened = self._opened, {}
        for found in opened.values():
            await found.driver.close()
