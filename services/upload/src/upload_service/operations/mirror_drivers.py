"""The drivers of the mirrors that this process works with, opened when they are first needed."""

from collections.abc import Mapping
from datetime import datetime

from upload_service.drivers import Driver, Rules, check_options, open_driver
from upload_service.mirror_model import Mirror
from upload_service.sealing import Sealer


class MirrorDrivers:
    """Opens mirrors' options and drivers. A mirror that was changed since gets a new driver."""

    def __init__(self, sealer: Sealer, rules: Rules) -> None:
        self.sealer = sealer
        self._rules = rules
        self._opened: dict[int, tuple[datetime, Driver]] = {}

    def check(self, kind: str, options: Mapping[str, str]) -> None:
        """Raise `InvalidInput` unless a mirror of this kind can have these options."""
        check_options(kind, options, self._rules)

    async def of(self, mirror: Mirror) -> Driver:
        """The mirror's driver. Raises `Unsealable`, and `InvalidInput` for options that hold no more."""
        known = self._opened.get(mirror.id)
        if known and known[0] == mirror.changed_at:
            return known[1]
        driver = open_driver(mirror.kind, self.sealer.open(mirror.options), self._rules)
        self._opened[mirror.id] = (mirror.changed_at, driver)
        if known:
            await known[1].close()
        return driver

    async def close(self) -> None:
        """Close every driver."""
        opened, self._opened = self._opened, {}
        for _, driver in opened.values():
            await driver.close()
