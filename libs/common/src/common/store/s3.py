"""The object store on any S3 server.

The SDK signs URLs and creates the bucket. All other requests are sent asynchronously by another client, so the SDK
neither hashes nor holds their bytes.
This module enforces S3's limits on parts itself (see `limits`), because some servers do not.
"""

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import aiohttp
import urllib3
from minio import Minio
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error
from yarl import URL

from common import tracing
from common.errors import DomainError, StorageFull
from common.statuses import is_temporary, retry_after
from common.store.body import SizedBody
from common.store.digest import ContentHasher
from common.store.interface import (
    Digest,
    Lease,
    ObjectInfo,
    ObjectMissing,
    PartMismatch,
    Piece,
    Source,
    StoredPart,
    StoreRefused,
    StoreUnavailable,
    Unfinished,
    UploadMissing,
    WrittenObject,
)
from common.store.limits import S3_LIMITS, check_part, check_parts, check_put
from common.store.room import UNKNOWN_ROOM, Room
from common.store.signing import signed_part
from common.store.writer import Joined, StreamWriter

# Signed URLs are used at once. They only have to stay valid while a request waits in a queue.
SIGNED_FOR = timedelta(minutes=15)
# The number of bytes to read from a socket at a time.
READ_BLOCK = 1024 * 1024
# S3 allows 1,000, but some servers take long for each.
REMOVED_AT_ONCE = 250


_REFUSALS: Mapping[str, type[DomainError]] = {
    "NoSuchKey": ObjectMissing,
    "NoSuchUpload": UploadMissing,
    "InvalidPart": PartMismatch,
    "EntityTooSmall": PartMismatch,
    "XMinioStorageFull": StorageFull,
    "QuotaExceeded": StorageFull,
    "InsufficientCapacity": StorageFull,
}


class S3Store:
    """One bucket of an S3 server."""

    def __init__(
        self,
        endpoint: str,
        *,
        region: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        bucket_in_host: bool = False,
        silence_seconds: float = 60,
        room: Room = UNKNOWN_ROOM,
    ) -> None:
        """`endpoint`: scheme, host and port by which both this process and the gateway reach the store.

        `bucket_in_host`: put the bucket into the host name, for servers that accept it only there. `silence_seconds`:
        the longest wait for an answer. `room`: what is left on the store's disk.
        """
        self.room = room
        self.limits = S3_LIMITS
        address = urlsplit(endpoint)
        self._bucket = bucket
        self._sdk = Minio(
            address.netloc,
            access_key=access_key,
            secret_key=secret_key,
            secure=address.scheme == "https",
            region=region,
            http_client=urllib3.PoolManager(timeout=urllib3.Timeout(connect=5, read=10), retries=False),
        )
        self._keys = (access_key, secret_key, region)
        if bucket_in_host:
            self._sdk.enable_virtual_style_endpoint()
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=silence_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            timeout=self._timeout,
            connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=False,
            read_bufsize=READ_BLOCK,
        )

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def prepare(self) -> None:
        """Create the bucket unless it exists."""
        await asyncio.to_thread(self._ensure_bucket)

    def _ensure_bucket(self) -> None:
        try:
            if not self._sdk.bucket_exists(self._bucket):
                self._sdk.make_bucket(self._bucket)
        except S3Error as error:
            if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise StoreUnavailable(f"the bucket cannot be made: {error.code}") from error
        except (urllib3.exceptions.HTTPError, MinioException) as error:
            raise StoreUnavailable from error

    async def ready(self) -> None:
        """Raise `StoreUnavailable` unless the store answers a signed request."""
        await self.stat("ready")

    def gateway_path(self, method: str, key: str) -> str:
        """The path and query of a signed request for `key`, which must be sent to the store's own host name."""
        parts = urlsplit(self._sign(method, key, {}))
        return f"{parts.path}?{parts.query}"

    async def check(self, key: str, size: int) -> None:
        """Do nothing: the gateway's own request will show it."""

    def _sign(self, method: str, key: str, query: dict[str, str]) -> str:
        return self._sdk.get_presigned_url(
            method, self._bucket, key, expires=SIGNED_FOR, extra_query_params=dict(query)
        )

    async def put(
        self,
        key: str,
        blocks: AsyncIterable[bytes],
        size: int,
        *,
        digest: Digest | None = None,
        lease: Lease | None = None,
    ) -> None:
        check_put(size)
        self.room.check(size)
        body = SizedBody(self._leaving(blocks, size, digest, lease), size)
        async with self._request("PUT", key, body=body):
            pass

    async def write_stream(
        self,
        key: str,
        source: Source,
        *,
        on_multipart: Callable[[str], Awaitable[None]],
        hasher: ContentHasher | None = None,
        max_size: int | None = None,
        lease: Lease | None = None,
    ) -> WrittenObject:
        writer = StreamWriter(self, key, source, on_multipart, hasher or ContentHasher(), max_size, lease)
        return await writer.run()

    async def join(
        self,
        key: str,
        pieces: Sequence[Piece],
        hasher: ContentHasher,
        *,
        on_multipart: Callable[[str], Awaitable[None]],
        lease: Lease | None = None,
    ) -> None:
        await StreamWriter(self, key, Joined(self, pieces, hasher), on_multipart, hasher, lease=lease).run()

    async def create_multipart(self, key: str) -> str:
        async with self._request("POST", key, query={"uploads": ""}) as response:
            return _text(await response.read(), "UploadId")

    async def put_part(
        self,
        key: str,
        upload_id: str,
        number: int,
        blocks: AsyncIterable[bytes],
        size: int,
        *,
        offset: int = 0,
        digest: Digest | None = None,
        lease: Lease | None = None,
    ) -> StoredPart:
        check_part(number, size)
        self.room.check(size)
        query = {"partNumber": str(number), "uploadId": upload_id}
        body = SizedBody(self._leaving(blocks, size, digest, lease), size)
        async with self._request("PUT", key, query=query, body=body) as response:
            return StoredPart(number, size, response.headers["ETag"].strip('"'))

    async def _leaving(
        self, blocks: AsyncIterable[bytes], size: int, digest: Digest | None, lease: Lease | None
    ) -> AsyncIterator[bytes]:
        """The blocks of a body, as they leave for the store."""
        async for block in self.room.checked(blocks, size):
            if digest:
                digest(block)
            if lease:
                await lease.hold()
            yield block
        if lease:
            await lease.hold(last=True)

    def part_path(self, key: str, upload_id: str, number: int, size: int, lifetime: timedelta) -> str | None:
        check_part(number, size)
        self.room.check(size)
        unsigned = urlsplit(self._sign("PUT", key, {}))._replace(
            query=urlencode({"partNumber": number, "uploadId": upload_id}, quote_via=quote)
        )
        access_key, secret_key, region = self._keys
        signed = signed_part(
            urlunsplit(unsigned),
            size,
            access_key=access_key,
            secret_key=secret_key,
            region=region,
            now=datetime.now(UTC),
            lifetime=lifetime,
        )
        parts = urlsplit(signed)
        return f"{parts.path}?{parts.query}"

    async def stored_parts(self, key: str, upload_id: str) -> list[StoredPart]:
        found: list[StoredPart] = []
        while True:
            query = {"uploadId": upload_id, "part-number-marker": str(found[-1].number if found else 0)}
            async with self._request("GET", key, query=query) as response:
                answer = await response.read()
            page = [
                StoredPart(int(part["PartNumber"]), int(part["Size"]), part["ETag"].strip('"'))
                for part in _elements(answer, "Part")
            ]
            found += page
            if not page or _text(answer, "IsTruncated") != "true":
                return found

    async def complete_multipart(self, key: str, upload_id: str, parts: Sequence[StoredPart]) -> None:
        check_parts([part.size for part in parts])
        root = ET.Element("CompleteMultipartUpload")
        for part in parts:
            entry = ET.SubElement(root, "Part")
            ET.SubElement(entry, "PartNumber").text = str(part.number)
            ET.SubElement(entry, "ETag").text = f'"{part.etag}"'
        async with self._request("POST", key, query={"uploadId": upload_id}, body=ET.tostring(root)) as response:
            # S3 may report a failure with status 200, after white space that kept the connection alive.
            answer = (await response.read()).strip()
            if b"<Error" in answer:
                raise _refusal(answer, response.status)

    async def abort_multipart(self, key: str, upload_id: str) -> None:
        try:
            async with self._request("DELETE", key, query={"uploadId": upload_id}):
                pass
        except UploadMissing:
            return

    async def unfinished(self, age: timedelta) -> list[Unfinished]:
        return []

    async def stat(self, key: str) -> ObjectInfo | None:
        async with self._request("HEAD", key, accepted=(404,)) as response:
            if response.status == 404:
                return None
            return ObjectInfo(int(response.headers["Content-Length"]))

    async def read(self, key: str, start: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
        end = "" if size is None else start + size - 1
        # A signature does not cover this header.
        wanted = {"Range": f"bytes={start}-{end}"} if start or size is not None else {}
        async with self._request("GET", key, headers=wanted, accepted=(416,)) as response:
            if response.status == 416:
                return
            if wanted and response.status != 206:
                raise StoreRefused("the object store does not know ranges")
            async for block in response.content.iter_any():
                yield block

    async def read_back(self, key: str, hasher: ContentHasher) -> None:
        async for block in self.read(key):
            hasher.update(block)

    async def delete(self, key: str) -> None:
        async with self._request("DELETE", key, accepted=(404,)):
            pass

    async def delete_many(self, keys: Sequence[str]) -> None:
        if len(keys) == 1:
            await self.delete(keys[0])
            return
        for first in range(0, len(keys), REMOVED_AT_ONCE):
            some = keys[first : first + REMOVED_AT_ONCE]
            if not await asyncio.to_thread(self._remove, some):
                for key in some:
                    await self.delete(key)

    def _remove(self, keys: Sequence[str]) -> bool:
        """Remove objects in one request; False if the server knows no such request."""
        try:
            errors = list(self._sdk.remove_objects(self._bucket, map(DeleteObject, keys)))
        except S3Error as error:
            if error.code in ("NotImplemented", "MethodNotAllowed"):
                return False
            raise StoreUnavailable(f"the object store answered {error.code}") from error
        except (urllib3.exceptions.HTTPError, MinioException) as error:
            raise StoreUnavailable from error
        for error in errors:
            if error.code != "NoSuchKey":
                raise StoreUnavailable(f"the object store could not remove {error.name}: {error.code}")
        return True

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        key: str,
        *,
        query: dict[str, str] | None = None,
        body: SizedBody | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accepted: tuple[int, ...] = (),
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        assert self._session is not None, "the store is not open"
        url = URL(self._sign(method, key, query or {}), encoded=True)
        sent = dict(headers or {})
        if isinstance(body, SizedBody):
            sent["Content-Length"] = str(body.size)
        try:
            with tracing.step(f"{method} store", attributes={"http.request.method": method}) as step:
                response = await self._session.request(
                    method, url, data=body, headers=sent, skip_auto_headers=["Content-Type"], allow_redirects=False
                )
                step.note("http.response.status_code", response.status)
            async with response:
                if response.status >= 300 and response.status not in accepted:
                    asked = retry_after(response.headers.get("Retry-After"))
                    raise _refusal(await response.read(), response.status, asked)
                yield response
        except (aiohttp.ClientError, TimeoutError) as error:
            if isinstance(body, SizedBody) and body.failure:
                raise body.failure from None
            raise StoreUnavailable from error


def _refusal(answer: bytes, status: int, asked: timedelta | None = None) -> DomainError:
    code = _text(answer, "Code") if b"<Code>" in answer else str(status)
    if code in _REFUSALS:
        return _REFUSALS[code](None)
    if status == 404:
        return ObjectMissing()
    if status == 507:
        return StorageFull()
    if is_temporary(status):
        unavailable = StoreUnavailable(f"the object store answered {code}")
        unavailable.asked = asked
        return unavailable
    return StoreRefused(f"the object store answered {code}")


def _text(answer: bytes, tag: str) -> str:
    """The text of the first element named `tag`, whatever its namespace."""
    root = ET.fromstring(answer)  # noqa: S314  (the store is ours)
    for element in root.iter():
        if element.tag.rpartition("}")[2] == tag and element.text:
            return element.text
    raise StoreRefused(f"the object store's answer has no {tag}")


def _elements(answer: bytes, tag: str) -> list[dict[str, str]]:
    """The texts inside each element named `tag`, by their names, whatever the namespace."""
    root = ET.fromstring(answer)  # noqa: S314  (the store is ours)
    return [
        {child.tag.rpartition("}")[2]: child.text or "" for child in element}
        for element in root.iter()
        if element.tag.rpartition("}")[2] == tag
    ]
