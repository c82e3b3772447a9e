"""Sending the content of one file by tus 1.0.0, from wherever an earlier attempt ended."""

import base64
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import suppress

import httpx

from waystation.connection import Connection
from waystation.errors import BadAnswer, Conflict, NotFound, NotReady, Temporary, WaystationError
from waystation.hashing import Running
from waystation.progress import Progress, Step
from waystation.sources import Source
from waystation.tasks import ahead

PATH = "/v1/uploads"
PROBE = 64 * 1024
TUS = {"Tus-Resumable": "1.0.0"}
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


class Upload:
    """The upload of one source."""

    def __init__(
        self,
        connection: Connection,
        source: Source,
        metadata: Mapping[str, str],
        *,
        key: str,
        upload_id: str | None,
        remember: Callable[[str], None],
        progress: Progress,
    ) -> None:
        """`metadata` for a new upload; `upload_id`: of one that was begun earlier; `remember` is told the id of a new
        one, before it gets its first byte; `key`: of the steps of `progress`."""
        self._connection, self._source, self._metadata = connection, source, metadata
        self._key, self._progress, self._remember = key, progress, remember
        self._id = upload_id
        self._resumes = upload_id is not None
        self._running = Running()

    async def send(self) -> tuple[bytes, httpx.Headers]:
        """Send what is missing. Returns the SHA-256 of the content as it was read, and the headers of the last answer.

        Raises `SourceChanged`, and `Temporary` when nothing gets further any more; the upload can be continued then.
        """
        attempts = self._connection.attempts()
        at, said = await self._begin()
        # The server may still be reading the request that broke off, and know more than it says. So the first request
        # after that is a small one, of which little is lost if the offset was wrong.
        most = PROBE if at or self._resumes else self._source.size
        while at < self._source.size:
            try:
                said = (await self._append(at, min(at + most, self._source.size))).headers
                at, most = _offset(said), self._source.size
                attempts.progressed()
            except Temporary as error:
                await attempts.pause(error)
                before, most = at, PROBE
                at, said = await self._look()
                if at > before:
                    attempts.progressed()
        await self._hash_rest()
        self._show(at)
        return self._running.digest(), said

    async def abort(self) -> None:
        """Have the server forget what it got, if it can be asked."""
        if self._id:
            with suppress(WaystationError):
                await self._connection.once("DELETE", f"{PATH}/{self._id}", headers=TUS)

    async def _begin(self) -> tuple[int, httpx.Headers]:
        if self._id:
            with suppress(NotFound):
                return await self._look()
        self._id = await self._create()
        self._remember(self._id)
        return (0, httpx.Headers()) if self._source.size else await self._look()

    async def _create(self) -> str:
        headers = {**TUS, "Upload-Length": str(self._source.size), "Upload-Metadata": _encoded(self._metadata)}
        answer = await self._connection.request("POST", PATH, headers=headers)
        # The address may name another host than the one that the credentials are for.
        upload_id = answer.headers.get("location", "").rstrip("/").rpartition("/")[2]
        if not _ID.fullmatch(upload_id):
            raise BadAnswer
        return upload_id

    async def _look(self) -> tuple[int, httpx.Headers]:
        """The bytes of the upload that the server has."""
        answer = await self._connection.request("HEAD", f"{PATH}/{self._id}", headers=TUS)
        return _offset(answer.headers), answer.headers

    async def _append(self, at: int, end: int) -> httpx.Response:
        headers = {
            **TUS,
            "Upload-Offset": str(at),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(end - at),
        }
        try:
            content = self._body(at, end)
            return await self._connection.once("PATCH", f"{PATH}/{self._id}", headers=headers, content=content)
        except Conflict:
            raise NotReady("the server has got further or less far than it said") from None

    async def _body(self, at: int, end: int) -> AsyncGenerator[bytes]:
        """The content between two offsets. Everything before it that is not yet part of the digest is read as well."""
        blocks = ahead(self._hashed(at))
        try:
            async for block in blocks:
                yield block[: end - at]
                at = min(at + len(block), end)
                self._show(at)
                if at == end:
                    break
        finally:
            await blocks.aclose()

    def _hashed(self, start: int) -> Iterator[bytes]:
        at = min(start, self._running.at)
        for block in self._source.blocks(at):
            self._running.feed(at, block)
            at += len(block)
            if at > start:
                yield block[max(0, len(block) - (at - start)) :]

    async def _hash_rest(self) -> None:
        """Read what was sent by an earlier process and is not yet part of the digest."""
        async for _ in ahead(self._hashed(self._running.at)):
            pass

    def _show(self, at: int) -> None:
        self._progress(Step(self._key, self._source.name, at, self._source.size))


def _encoded(metadata: Mapping[str, str]) -> str:
    return ",".join(
        f"{key} {base64.b64encode(value.encode(errors='replace')).decode()}" for key, value in metadata.items()
    )


def _offset(headers: httpx.Headers) -> int:
    text = headers.get("upload-offset", "")
    if not (text.isascii() and text.isdecimal()):
        raise BadAnswer
    return int(text)
