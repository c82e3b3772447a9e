"""SFTP (draft-ietf-secsh-filexfer-02, the version that OpenSSH speaks), by AsyncSSH.

A file is written under a temporary name and renamed to its own when it is whole.
"""

import asyncio
import posixpath
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial

import asyncssh

from common import logging
from common.store import SizedBody
from upload_service.mirrors.drivers import unfinished
from upload_service.mirrors.drivers.bounds import bounded, sending
from upload_service.mirrors.drivers.interface import (
    Driver,
    MirrorDown,
    MirrorError,
    MirrorFull,
    MirrorRefused,
    OptionsInvalid,
    Place,
    ReplicaLost,
    Rules,
)

READ_BLOCK = 1024 * 1024
_LOST = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_CUT_OFF = (asyncssh.SFTPNoConnection, asyncssh.SFTPConnectionLost)
_FULL = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
_REFUSED = (
    asyncssh.SFTPPermissionDenied,
    asyncssh.SFTPWriteProtect,
    asyncssh.PermissionDenied,
    asyncssh.HostKeyNotVerifiable,
    asyncssh.KeyExchangeFailed,
)
_log = logging.get(__name__)


def driver_of(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    try:
        host_key = asyncssh.import_public_key(options["host_key"])
        key = options.get("private_key")
        private_key = asyncssh.import_private_key(key) if key else None
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise OptionsInvalid("host_key or private_key is not a key, or is protected by a passphrase") from None
    return SftpDriver(options, host_key, private_key, rules)


class SftpDriver:
    """A folder of an SFTP server, over one connection for all transfers, which is renewed when it is lost."""

    can_delete = True

    def __init__(
        self, options: Mapping[str, str], host_key: asyncssh.SSHKey, private_key: asyncssh.SSHKey | None, rules: Rules
    ) -> None:
        self._options, self._host_key, self._private_key = options, host_key, private_key
        self._root, self._seconds = options.get("root", "."), rules.stall_seconds
        self._connecting = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        sftp = await self._connected()
        place, attempt = self._place(path), self._place(unfinished.new_name(path))
        try:
            await self._remove_attempts(sftp, path)
            hang_up = partial(self._hang_up, sftp)
            async with sending(blocks, size, self._seconds, hang_up) as body, self._translated(sftp, body):
                await sftp.makedirs(posixpath.dirname(attempt), exist_ok=True)
                await sftp.makedirs(posixpath.dirname(place), exist_ok=True)
                file = await sftp.open(attempt, "wb")
                try:
                    offset = 0
                    async for block in body:
                        offset += await file.write(block, offset)
                    with suppress(asyncssh.SFTPOpUnsupported):
                        await file.fsync()
                    await file.close()
                except BaseException:
                    await asyncio.shield(self._close(sftp, file))
                    raise
                await _rename(sftp, attempt, place)
        except MirrorDown:
            # The mirror cannot be asked to remove what it has.
            raise
        except Exception:
            with suppress(MirrorError):
                await self._remove_attempts(sftp, path)
            raise

    async def read(self, place: Place, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        end = None if length is None else start + length
        sftp = await self._connected()
        async with self._asking(sftp):
            file = await sftp.open(self._place(place.path), "rb")
        try:
            while wanted := READ_BLOCK if end is None else min(READ_BLOCK, end - start):
                async with self._asking(sftp):
                    block = await file.read(wanted, start)
                if not block:
                    return
                start += len(block)
                yield block
        finally:
            await asyncio.shield(self._close(sftp, file))

    async def delete(self, place: Place) -> None:
        sftp = await self._connected()
        await self._remove_attempts(sftp, place.path)
        await self._remove(sftp, self._place(place.path))

    async def remove_left(self, before: datetime) -> int:
        sftp = await self._connected()
        left = [
            posixpath.join(self._place(folder), entry.name)
            for folder in (unfinished.FOLDER, unfinished.PROBES)
            for entry in await self._listed(sftp, folder)
            if unfinished.is_left(folder, entry, before)
        ]
        for path in left:
            await self._remove(sftp, path)
        return len(left)

    async def check(self) -> None:
        sftp = await self._connected()
        async with self._asking(sftp):
            is_in_the_way = await sftp.exists(self._root) and not await sftp.isdir(self._root)
        if is_in_the_way:
            raise MirrorRefused("the mirror's root is no folder")

    async def close(self) -> None:
        self._hang_up(self._client)

    async def _close(self, sftp: asyncssh.SFTPClient, file: asyncssh.SFTPClientFile) -> None:
        """Close a file after success and failure alike: otherwise it stays open as long as the shared connection."""
        with suppress(MirrorError):
            async with self._asking(sftp):
                await file.close()

    def _place(self, path: str) -> str:
        return posixpath.join(self._root, path)

    async def _remove(self, sftp: asyncssh.SFTPClient, path: str) -> None:
        with suppress(ReplicaLost):
            async with self._asking(sftp):
                await sftp.remove(path)

    async def _remove_attempts(self, sftp: asyncssh.SFTPClient, path: str) -> None:
        for entry in await self._listed(sftp, unfinished.FOLDER):
            if unfinished.is_attempt(entry.name, path):
                await self._remove(sftp, self._place(f"{unfinished.FOLDER}/{entry.name}"))

    async def _listed(self, sftp: asyncssh.SFTPClient, folder: str) -> list[unfinished.Entry]:
        """The files and folders in a folder, `MOST_LISTED` of them at most; none if it is missing."""
        found: list[unfinished.Entry] = []
        with suppress(ReplicaLost):
            async with self._asking(sftp):
                async for entry in sftp.scandir(self._place(folder)):
                    changed_at = None if entry.attrs.mtime is None else datetime.fromtimestamp(entry.attrs.mtime, UTC)
                    found.append(unfinished.Entry(str(entry.filename), changed_at))
                    if len(found) >= unfinished.MOST_LISTED:
                        break
        return found

    @asynccontextmanager
    async def _asking(self, sftp: asyncssh.SFTPClient | None) -> AsyncGenerator[None]:
        """A short request: if the server hangs, hang up; turn errors into those of mirrors."""
        async with bounded(self._seconds, partial(self._hang_up, sftp)), self._translated(sftp):
            yield

    @asynccontextmanager
    async def _translated(
        self, sftp: asyncssh.SFTPClient | None, body: SizedBody | None = None
    ) -> AsyncGenerator[None]:
        """Turn errors into those of mirrors. `body`: the content being written, whose own errors stay as they are."""
        try:
            yield
        except (asyncssh.Error, OSError) as error:
            if body is not None and body.failure is error:
                raise
            if not isinstance(error, asyncssh.SFTPError) or isinstance(error, _CUT_OFF):
                self._hang_up(sftp)
            # Version 3 of the protocol has no code for a full disk.
            elif isinstance(error, asyncssh.SFTPFailure) and sftp and body and await self._is_full(sftp, body.size):
                raise MirrorFull from None
            raise _meaning(error) from None

    async def _connected(self) -> asyncssh.SFTPClient:
        async with self._asking(None), self._connecting:
            if self._client is None or self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
                try:
                    self._client = await self._connection.start_sftp_client()
                except BaseException:
                    self._connection.abort()
                    raise
            return self._client

    async def _connect(self) -> asyncssh.SSHClientConnection:
        options = self._options
        return await asyncssh.connect(
            options["host"],
            int(options.get("port", "22")),
            username=options["username"],
            password=options.get("password"),
            client_keys=[self._private_key] if self._private_key else None,
            known_hosts=([self._host_key], [], []),
            # Use nothing of the account that this process runs as: no files of its home, no agent, no tickets.
            config=None,
            agent_path=None,
            gss_host=None,
            host_based_auth=False,
            x509_trusted_certs=None,
            keepalive_interval=self._seconds,
        )

    def _hang_up(self, sftp: asyncssh.SFTPClient | None) -> None:
        # Another transfer may have reconnected already.
        if sftp is not None and sftp is self._client and self._connection is not None:
            self._connection.abort()
            self._connection = self._client = None

    async def _is_full(self, sftp: asyncssh.SFTPClient, size: int) -> bool:
        try:
            async with bounded(self._seconds):
                room = await sftp.statvfs(self._root)
        except (asyncssh.Error, OSError, MirrorDown):
            return False
        return room.bavail * room.frsize < size


async def _rename(sftp: asyncssh.SFTPClient, attempt: str, place: str) -> None:
    try:
        await sftp.posix_rename(attempt, place)
    except asyncssh.SFTPOpUnsupported:
        # Without that extension, renaming onto an existing file fails.
        with suppress(*_LOST):
            await sftp.remove(place)
        await sftp.rename(attempt, place)


def _meaning(error: Exception) -> MirrorError:
    _log.debug("mirror_error", error=type(error).__name__)
    if isinstance(error, _LOST):
        return ReplicaLost()
    if isinstance(error, _FULL):
        return MirrorFull()
    if isinstance(error, _REFUSED):
        return MirrorRefused()
    return MirrorDown()
