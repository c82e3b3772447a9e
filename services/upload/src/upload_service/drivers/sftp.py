"""SFTP (draft-ietf-secsh-filexfer-02, the version that OpenSSH speaks), by AsyncSSH.

A file is written under a name of its own and renamed over its place when it is whole.
"""

import asyncio
import posixpath
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import asyncssh

from common import logging
from upload_service.drivers.bounds import PART_SUFFIX, bounded, sending
from upload_service.drivers.interface import (
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
_FULL = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
_REFUSED = (
    asyncssh.SFTPPermissionDenied,
    asyncssh.SFTPWriteProtect,
    asyncssh.PermissionDenied,
    asyncssh.HostKeyNotVerifiable,
    asyncssh.KeyExchangeFailed,
)
_log = logging.get(__name__)


def open_driver(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    try:
        host_key = asyncssh.import_public_key(options["host_key"])
        key = options.get("private_key")
        private_key = asyncssh.import_private_key(key) if key else None
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        raise OptionsInvalid("host_key or private_key is not a key, or is protected by a passphrase") from None
    return SftpDriver(options, host_key, private_key, rules)


class SftpDriver:
    """A folder of an SFTP server, over one connection that is made anew when it is lost."""

    def __init__(
        self, options: Mapping[str, str], host_key: asyncssh.SSHKey, private_key: asyncssh.SSHKey | None, rules: Rules
    ) -> None:
        self._options, self._host_key, self._private_key = options, host_key, private_key
        self._root, self._seconds = options.get("root", "."), rules.stall_seconds
        self._connecting = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        place = self._place(path)
        part = place + PART_SUFFIX
        try:
            async with sending(blocks, size, self._seconds) as body, self._exchange(size) as sftp:
                await sftp.makedirs(posixpath.dirname(part), exist_ok=True)
                file = await sftp.open(part, "wb")
                offset = 0
                async for block in body:
                    offset += await file.write(block, offset)
                with suppress(asyncssh.SFTPOpUnsupported):
                    await file.fsync()
                await file.close()
                await _rename(sftp, part, place)
        except MirrorDown:
            # There is nobody to ask to remove the part; the next write of this path replaces it.
            raise
        except Exception:
            with suppress(MirrorError):
                await self._remove(part)
            raise

    async def read(self, place: Place, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        end = None if length is None else start + length
        async with bounded(self._seconds), self._exchange() as sftp:
            file = await sftp.open(self._place(place.path), "rb")
        try:
            while wanted := READ_BLOCK if end is None else min(READ_BLOCK, end - start):
                async with bounded(self._seconds), self._exchange():
                    block = await file.read(wanted, start)
                if not block:
                    return
                start += len(block)
                yield block
        finally:
            with suppress(MirrorError):
                async with bounded(self._seconds), self._exchange():
                    await file.close()

    async def delete(self, place: Place) -> None:
        await self._remove(self._place(place.path))
        await self._remove(self._place(place.path) + PART_SUFFIX)

    async def check(self) -> None:
        async with bounded(self._seconds), self._exchange() as sftp:
            found = await sftp.isdir(self._root)
        if not found:
            raise MirrorRefused("the mirror has no such root")

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.abort()
            # What it is closing with is over at once, since nothing more is said.
            await self._connection.wait_closed()
            self._connection = self._client = None

    def _place(self, path: str) -> str:
        return posixpath.join(self._root, path)

    async def _remove(self, path: str) -> None:
        with suppress(ReplicaLost):
            async with bounded(self._seconds), self._exchange() as sftp:
                await sftp.remove(path)

    @asynccontextmanager
    async def _exchange(self, size: int = 0) -> AsyncGenerator[asyncssh.SFTPClient]:
        """The client, for something that is bounded. Its errors become a mirror's; when it hangs, it is hung up on.

        `size`: bytes that are to be written.
        """
        sftp = None
        try:
            sftp = await self._connected()
            yield sftp
        except asyncio.CancelledError:
            # Either this took too long or nobody waits for it; its answers would arrive in the middle of what is next.
            self._hang_up()
            raise
        except asyncssh.SFTPFailure as error:
            # Servers of version 3 have no code for a full disk.
            if sftp is not None and size and await self._is_full(sftp, size):
                raise MirrorFull from None
            raise _meaning(error) from None
        except (asyncssh.Error, OSError) as error:
            raise _meaning(error) from None

    async def _connected(self) -> asyncssh.SFTPClient:
        async with self._connecting:
            if self._client is None or self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
                self._client = await self._connection.start_sftp_client()
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
            # Nothing of the account that this runs as: no files of its home, no agent, no tickets.
            config=None,
            agent_path=None,
            gss_host=None,
            host_based_auth=False,
            x509_trusted_certs=None,
            keepalive_interval=self._seconds,
        )

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.abort()
        self._connection = self._client = None

    async def _is_full(self, sftp: asyncssh.SFTPClient, size: int) -> bool:
        try:
            async with bounded(self._seconds):
                room = await sftp.statvfs(self._root)
        except (asyncssh.Error, OSError, MirrorDown):
            return False
        return room.bavail * room.frsize < size


async def _rename(sftp: asyncssh.SFTPClient, part: str, place: str) -> None:
    try:
        await sftp.posix_rename(part, place)
    except asyncssh.SFTPOpUnsupported:
        # Without that extension, renaming over something fails.
        with suppress(*_LOST):
            await sftp.remove(place)
        await sftp.rename(part, place)


def _meaning(error: Exception) -> MirrorError:
    _log.debug("mirror_error", error=type(error).__name__)
    if isinstance(error, _LOST):
        return ReplicaLost()
    if isinstance(error, _FULL):
        return MirrorFull()
    if isinstance(error, _REFUSED):
        return MirrorRefused()
    return MirrorDown()
