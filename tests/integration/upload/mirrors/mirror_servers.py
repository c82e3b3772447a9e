"""Real servers of every kind of mirror that this machine can run. Tests look into them and damage them from outside.

with background() as running, webdav(folder, running) as server:
    driver = open_driver(server.kind, server.options, server.rules)
    server.stored()["ab/ab12"]
    server.flip("ab/ab12")
    with server.failing(Fault.FULL): ...
"""

import asyncio
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Protocol

import httpx
from cheroot import wsgi
from minio import Minio
from wsgidav.wsgidav_app import WsgiDAVApp

from deploy.local import juicefs
from deploy.local.ports import LOOPBACK, choose
from deploy.local.settings import SYSTEM_NAMES
from tests.integration.upload.mirrors.mirror_front import Background, Fault, Front
from tests.integration.upload.mirrors.mirror_http import HttpStore
from tests.integration.upload.mirrors.mirror_sftp import SftpStore
from upload_service.mirrors.drivers import Rules

STALL_SECONDS = 5.0
"""How long a driver waits for a server that hangs, unless a test says otherwise."""
READY_SECONDS = 30
WRONG = secrets.token_hex(16)


class Contents(Protocol):
    """The files of a server, by path, reached behind its back."""

    def stored(self) -> dict[str, bytes]: ...
    def put(self, path: str, content: bytes) -> None: ...
    def remove(self, path: str) -> None: ...


@dataclass(frozen=True, slots=True)
class MirrorServer:
    """A running server, and how a mirror for it is defined."""

    kind: str
    options: dict[str, str]
    contents: Contents
    set_fault: Callable[[Fault | None], None]
    wrong: dict[str, str] | None
    """Options whose credentials it refuses; None if the kind has no credentials."""
    rules: Rules = field(default_factory=lambda: Rules(stall_seconds=STALL_SECONDS))
    faults: frozenset[Fault] = frozenset(Fault)
    """The faults that can be produced here."""
    hides_deleted: bool = False
    """Whether it never shows again what was deleted while somebody still wrote it."""
    output: Path | None = None
    """The file of what it prints."""

    def stored(self) -> dict[str, bytes]:
        """Everything that is there, unfinished files included, by path."""
        return self.contents.stored()

    def flip(self, path: str, at: int = 0) -> None:
        """Flip one bit of byte `at`."""
        content = bytearray(self.stored()[path])
        content[at] ^= 1
        self.contents.put(path, bytes(content))

    def truncate(self, path: str, size: int) -> None:
        self.contents.put(path, self.stored()[path][:size])

    def remove(self, path: str) -> None:
        self.contents.remove(path)

    def clear(self) -> None:
        for path in self.stored():
            self.contents.remove(path)

    @contextmanager
    def failing(self, fault: Fault) -> Generator[None]:
        self.set_fault(fault)
        try:
            yield
        finally:
            self.set_fault(None)


@dataclass(frozen=True, slots=True)
class FolderContents:
    root: Path

    def stored(self) -> dict[str, bytes]:
        return {str(file.relative_to(self.root)): file.read_bytes() for file in self.root.rglob("*") if file.is_file()}

    def put(self, path: str, content: bytes) -> None:
        (self.root / path).write_bytes(content)

    def remove(self, path: str) -> None:
        (self.root / path).unlink()


@dataclass(frozen=True, slots=True)
class BucketContents:
    client: Minio
    bucket: str
    prefix: str

    def stored(self) -> dict[str, bytes]:
        objects = self.client.list_objects(self.bucket, prefix=self.prefix, recursive=True)
        return {str(found.object_name)[len(self.prefix) :]: self._read(str(found.object_name)) for found in objects}

    def put(self, path: str, content: bytes) -> None:
        self.client.put_object(self.bucket, self.prefix + path, BytesIO(content), len(content))

    def remove(self, path: str) -> None:
        self.client.remove_object(self.bucket, self.prefix + path)

    def unfinished(self) -> int:
        """The number of multipart uploads that are neither completed nor aborted."""
        # The SDK has no public way to ask.
        return len(self.client._list_multipart_uploads(self.bucket).uploads)

    def _read(self, name: str) -> bytes:
        with self.client.get_object(self.bucket, name) as response:
            return response.read()


@contextmanager
def s3(folder: Path, background: Background) -> Generator[MirrorServer]:
    """JuiceFS's gateway, an S3 server on a folder."""
    access_key, secret_key = secrets.token_hex(10), secrets.token_hex(20)
    asyncio.run_coroutine_threadsafe(juicefs.prepare(folder / "store"), background.loop).result(READY_SECONDS)
    port = choose(1)[0]
    system = {name: os.environ[name] for name in SYSTEM_NAMES if name in os.environ}
    program = juicefs.program(folder / "store", port, access_key=access_key, secret_key=secret_key, system=system)
    process = subprocess.Popen(
        program.command,
        cwd=program.folder,
        env=dict(program.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://{LOOPBACK}:{port}/minio/health/live")
        client = Minio(
            f"{LOOPBACK}:{port}", access_key=access_key, secret_key=secret_key, secure=False, region="us-east-1"
        )
        client.make_bucket("mirror")
        front = Front(background, port, speaks_http=True)
        options = {
            "endpoint": f"http://{LOOPBACK}:{front.port}",
            "region": "us-east-1",
            "bucket": "mirror",
            "root": "/replicas",
            "access_key_id": access_key,
            "secret_access_key": secret_key,
        }
        contents = BucketContents(client, "mirror", "replicas/")
        yield MirrorServer("s3", options, contents, front.set, {**options, "secret_access_key": WRONG})
        front.close()
    finally:
        process.terminate()
        process.wait()


@contextmanager
def webdav(folder: Path, background: Background) -> Generator[MirrorServer]:
    """WsgiDAV on Cheroot."""
    password = secrets.token_hex(16)
    (folder / "replicas").mkdir()
    application = WsgiDAVApp(
        {
            "provider_mapping": {"/": str(folder)},
            "simple_dc": {"user_mapping": {"*": {"mirror": {"password": password}}}},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "lock_storage": False,
            "property_manager": False,
            "dir_browser": {"enable": False},
            "logging": {"enable": False},
            "verbose": 0,
        }
    )
    server = wsgi.Server((LOOPBACK, 0), application, numthreads=4)
    server.error_log = _no_log
    server.prepare()
    thread = threading.Thread(target=server.serve, name="webdav")
    thread.start()
    try:
        front = Front(background, server.bind_addr[1], speaks_http=True)
        options = {
            "endpoint": f"http://{LOOPBACK}:{front.port}",
            "root": "/replicas",
            "username": "mirror",
            "password": password,
        }
        contents = FolderContents(folder / "replicas")
        yield MirrorServer("webdav", options, contents, front.set, {**options, "password": WRONG})
        front.close()
    finally:
        server.stop()
        thread.join()


@contextmanager
def sftp(folder: Path, background: Background) -> Generator[MirrorServer]:
    """AsyncSSH's own server."""
    with SftpStore(folder, background) as server:
        front = Front(background, server.port, speaks_http=False)

        def set_fault(fault: Fault | None) -> None:
            server.fault = fault
            front.set(fault)

        options = {
            "host": LOOPBACK,
            "port": str(front.port),
            "username": "mirror",
            "password": server.password,
            "root": str(folder),
            "host_key": server.host_key,
        }
        yield MirrorServer("sftp", options, FolderContents(folder), set_fault, {**options, "password": WRONG})
        front.close()


@contextmanager
def http(folder: Path, background: Background) -> Generator[MirrorServer]:
    """A store that answers with the URL of the file it was sent."""
    with HttpStore(folder, background) as server:
        front = Front(background, server.port, speaks_http=True)
        options = {
            "url": f"http://{LOOPBACK}:{front.port}/upload",
            "token": server.token,
            "ping_url": f"http://{LOOPBACK}:{front.port}/ping",
            "delete_method": "DELETE",
        }
        yield MirrorServer("http", options, FolderContents(folder), front.set, {**options, "token": WRONG})
        front.close()


@contextmanager
def fs(folder: Path, _: Background) -> Generator[MirrorServer]:
    """A folder. Where this process may mount one, it is on a small disk of its own, which can be full and read-only."""
    disk, root = folder / "disk", folder / "disk" / "replicas"
    disk.mkdir()
    with ExitStack() as ending:
        own_disk = _mount("-t", "tmpfs", "-o", "size=96m", "tmpfs", str(disk))
        if own_disk:
            ending.callback(subprocess.run, ["umount", "-l", str(disk)], check=True)
        root.mkdir()
        aside, ballast = disk / "aside", disk / "ballast"

        def set_fault(fault: Fault | None) -> None:
            if aside.exists():
                aside.rename(root)
            if own_disk:
                _remount(disk, "rw")
                ballast.unlink(missing_ok=True)
            if fault is Fault.GONE:
                root.rename(aside)
            elif fault is Fault.REFUSES:
                _remount(disk, "ro")
            elif fault is Fault.FULL:
                subprocess.run(["dd", "if=/dev/zero", f"of={ballast}", "bs=64k"], stderr=subprocess.DEVNULL)

        yield MirrorServer(
            "fs",
            {"root": str(root)},
            FolderContents(root),
            set_fault,
            wrong=None,
            rules=Rules(folders=(folder,), stall_seconds=STALL_SECONDS),
            faults=frozenset({Fault.GONE, Fault.FULL, Fault.REFUSES} if own_disk else {Fault.GONE}),
        )


def _no_log(*_: object, **__: object) -> None: ...


SERVERS = {"s3": s3, "fs": fs, "webdav": webdav, "sftp": sftp, "http": http}


def _remount(disk: Path, mode: str) -> None:
    # The disk stays busy for a moment while a file that was written is being closed.
    deadline = time.monotonic() + READY_SECONDS
    while not _mount("-o", f"remount,{mode}", str(disk)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _mount(*arguments: str) -> bool:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def _wait(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            httpx.get(url, timeout=3).raise_for_status()
        except (httpx.TransportError, httpx.HTTPStatusError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
