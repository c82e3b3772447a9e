"""An SFTP server in a thread, over a folder. It can be full, and it can refuse its only account."""

import errno
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncssh

from deploy.local.ports import LOOPBACK
from tests.integration.upload.mirrors.mirror_front import Background, Fault


class SftpStore:
    """Accepts the account `mirror`, with its password or with `client_key`."""

    def __init__(self, folder: Path, background: Background) -> None:
        self.folder, self._background = folder, background
        self.password = secrets.token_hex(16)
        self.fault: Fault | None = None
        self.passwords_seen = 0
        self.files_open = 0
        self.connections: set[asyncssh.SSHServerConnection] = set()
        key = asyncssh.generate_private_key("ssh-ed25519")
        self.host_key = key.export_public_key().decode().strip()
        client = asyncssh.generate_private_key("ssh-ed25519")
        self.client_key = client.export_private_key().decode()
        self.client_public = client.public_data
        self._server = background.run(self._listen(key))
        self.port = self._server.get_port()

    async def _listen(self, key: asyncssh.SSHKey) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            LOOPBACK,
            0,
            server_factory=lambda: _Accounts(self),
            server_host_keys=[key],
            sftp_factory=lambda channel: _Files(channel, self),
            gss_host=None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._background.run(self._end())

    async def _end(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        for connection in list(self.connections):
            connection.abort()
            await connection.wait_closed()


class _Accounts(asyncssh.SSHServer):
    def __init__(self, store: SftpStore) -> None:
        self._store = store

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._store.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._store.connections.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._store.passwords_seen += 1
        return self._admits(username) and password == self._store.password

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._admits(username) and key.public_data == self._store.client_public

    def _admits(self, username: str) -> bool:
        return username == "mirror" and self._store.fault is not Fault.REFUSES


class _Files(asyncssh.SFTPServer):
    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], store: SftpStore) -> None:
        super().__init__(channel)
        self._store = store

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        opened = super().open(path, pflags, attrs)
        self._store.files_open += 1
        return opened

    def close(self, file_obj: object) -> None:
        self._store.files_open -= 1
        super().close(file_obj)

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        if self._store.fault is Fault.FULL:
            raise OSError(errno.ENOSPC, "no space left")
        return super().write(file_obj, offset, data)  # type: ignore[return-value]

    def statvfs(self, path: bytes) -> asyncssh.SFTPVFSAttrs:
        full = self._store.fault is Fault.FULL
        return asyncssh.SFTPVFSAttrs(bsize=4096, frsize=4096, blocks=1 << 30, bavail=0 if full else 1 << 29)
