"""WebDAV (RFC 4918).

OpenDAL can only send a whole file at once, so this module writes by a streaming PUT of its own. Many servers keep what
they received of a PUT that broke off, so a file goes to a temporary name and is moved to its own when it is whole.
"""

from base64 import b64encode
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import suppress
from urllib.parse import quote

import opendal

from upload_service.mirrors.drivers import unfinished
from upload_service.mirrors.drivers.bounds import bounded, sending
from upload_service.mirrors.drivers.interface import (
    Driver,
    MirrorDown,
    MirrorError,
    MirrorRefused,
    Place,
    ReplicaLost,
    Rules,
)
from upload_service.mirrors.drivers.opendal_base import OpenDalDriver, operator_of
from upload_service.mirrors.drivers.statuses import error_of
from upload_service.mirrors.drivers.web import Web


def driver_of(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    return WebDavDriver(operator_of(kind, options), options, rules)


class WebDavDriver(OpenDalDriver):
    """A collection of a WebDAV server."""

    swept = (unfinished.FOLDER, unfinished.PROBES)

    def __init__(self, operator: opendal.AsyncOperator, options: Mapping[str, str], rules: Rules) -> None:
        super().__init__(operator, rules)
        root = options.get("root", "").strip("/")
        self._endpoint, self._root = options["endpoint"], root.split("/") if root else []
        self._base = "/".join([self._endpoint, *map(quote, self._root), ""])
        self._web = Web(_authorization(options))

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        attempt = unfinished.new_name(path)
        try:
            await self._remove_attempts(path)
            for folder in (unfinished.FOLDER, path.rpartition("/")[0]):
                await self._have(folder)
            async with (
                sending(blocks, size, self._seconds) as body,
                self._web.request("PUT", self._base + attempt, body=body),
            ):
                pass
            await self._short("MOVE", attempt, Destination=self._base + path, Overwrite="T")
        except ReplicaLost:
            raise MirrorRefused("the mirror has no such root") from None
        except MirrorDown:
            # The mirror cannot be asked to remove what it has.
            raise
        except Exception:
            with suppress(MirrorError):
                await self._remove_attempts(path)
            raise

    async def read(self, place: Place, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        # OpenDAL would follow a redirect to wherever it leads.
        async for block in self._web.read(self._base + place.path, start, length, self._seconds):
            yield block

    async def delete(self, place: Place) -> None:
        await self._remove_attempts(place.path)
        await super().delete(place)

    async def check(self) -> None:
        with suppress(ReplicaLost):
            await self._ask(self._operator.check())

    async def close(self) -> None:
        await self._web.close()

    async def _have(self, folder: str) -> None:
        """Make this collection, and those above it up to the endpoint, unless they are there."""
        segments = [*map(quote, self._root), *folder.split("/")]
        missing = len(segments)
        while missing and not await self._make("/".join(segments[:missing])):
            # The one above it is missing.
            missing -= 1
        for end in range(missing + 1, len(segments) + 1):
            if not await self._make("/".join(segments[:end])):
                raise ReplicaLost

    async def _make(self, folder: str) -> bool:
        """Make one collection of the endpoint; False if that in which it belongs is missing.

        Servers answer 405, but also 403 or 409, where another request has made it already or is just making it.
        """
        url = f"{self._endpoint}/{folder}/"
        async with bounded(self._seconds):
            async with self._web.request("MKCOL", url, expected=(403, 404, 405, 409)) as response:
                status = response.status
            if status < 300 or status == 405:
                return True
            headers = {"Depth": "0"}
            async with self._web.request("PROPFIND", url, headers=headers, expected=(404, 409)) as response:
                is_there = response.status < 300
        if not is_there and status == 403:
            raise error_of(status)
        return is_there

    async def _short(self, method: str, path: str, **headers: str) -> None:
        """A request without a body whose answer tells nothing but that it is done."""
        async with bounded(self._seconds), self._web.request(method, self._base + path, headers=headers):
            pass

    async def _remove_attempts(self, path: str) -> None:
        for entry in await self._listed(unfinished.FOLDER):
            if unfinished.is_attempt(entry.name, path):
                await super().delete(Place(f"{unfinished.FOLDER}/{entry.name}"))


def _authorization(options: Mapping[str, str]) -> dict[str, str]:
    if token := options.get("token"):
        return {"Authorization": f"Bearer {token}"}
    if "username" in options:
        pair = f"{options['username']}:{options['password']}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    return {}
