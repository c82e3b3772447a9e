"""WebDAV (RFC 4918).

OpenDAL can only send a whole file at once, so writing is a streaming PUT of this module's own. Many servers keep what
they received of a PUT that broke off: it goes to a name of its own and is moved over when it is whole.
"""

from base64 import b64encode
from collections.abc import AsyncIterable, Mapping
from contextlib import suppress
from urllib.parse import quote

import opendal

from upload_service.drivers.bounds import PART_SUFFIX, sending
from upload_service.drivers.interface import Driver, MirrorDown, MirrorError, MirrorRefused, Place, ReplicaLost, Rules
from upload_service.drivers.opendal_base import OpenDalDriver, operator_of
from upload_service.drivers.web import Web


def open_driver(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    return WebDavDriver(operator_of(kind, options), options, rules)


class WebDavDriver(OpenDalDriver):
    """A collection of a WebDAV server."""

    def __init__(self, operator: opendal.AsyncOperator, options: Mapping[str, str], rules: Rules) -> None:
        super().__init__(operator, rules)
        root = options.get("root", "").strip("/")
        self._base = options["endpoint"].rstrip("/") + (f"/{quote(root)}/" if root else "/")
        self._web = Web(_authorization(options))

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        part = path + PART_SUFFIX
        try:
            await self._ask(self._operator.create_dir(path.rpartition("/")[0] + "/"))
            async with (
                sending(blocks, size, self._seconds) as body,
                self._web.request("PUT", self._base + part, body=body),
            ):
                pass
            await self._ask(self._operator.rename(part, path))
        except MirrorDown:
            # There is nobody to ask to remove the part; the next write of this path replaces it.
            raise
        except ReplicaLost:
            raise MirrorRefused from None
        except Exception:
            with suppress(MirrorError):
                await super().delete(Place(part))
            raise

    async def delete(self, place: Place) -> None:
        await super().delete(place)
        await super().delete(Place(place.path + PART_SUFFIX))

    async def close(self) -> None:
        await self._web.close()


def _authorization(options: Mapping[str, str]) -> dict[str, str]:
    if token := options.get("token"):
        return {"Authorization": f"Bearer {token}"}
    if "username" in options:
        pair = f"{options['username']}:{options['password']}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    return {}
