"""A small FTP server (RFC 959, 3659) on a folder, which answers as vsftpd does."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from deploy.local.ports import LOOPBACK
from tests.integration.running_remote import handled

PASSWORD = "the password"


@dataclass
class Ftp:
    folder: Path
    is_read_only: bool = False
    breaks_off_after: int | None = None
    """End a connection that sends a file after as many bytes, as when its client is killed; what came is kept."""
    said: list[str] = field(default_factory=list[str])
    port: int = 0

    @property
    def options(self) -> dict[str, str]:
        return {"endpoint": f"ftp://{LOOPBACK}:{self.port}", "user": "mirror", "password": PASSWORD}

    def stored(self) -> dict[str, bytes]:
        files = (file for file in self.folder.rglob("*") if file.is_file())
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in files}


class _Session:
    def __init__(self, server: Ftp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.at, self.source, self.offset = "/", Path(), 0
        self.data = asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
        self.listener: asyncio.Server | None = None

    async def serve(self) -> None:
        await self.say("220 ready")
        try:
            while line := await self.reader.readline():
                verb, _, argument = line.decode().rstrip("\r\n").partition(" ")
                self.server.said.append(f"{verb} {argument}".strip())
                if verb.upper() == "QUIT":
                    break
                answer = getattr(self, f"do_{verb.lower()}", None)
                await self.say(await answer(argument) if answer else "502 not implemented")
        except OSError:
            return
        finally:
            if self.listener:
                self.listener.close()
            while not self.data.empty():
                self.data.get_nowait()[1].transport.abort()

    async def say(self, text: str) -> None:
        self.writer.write(f"{text}\r\n".encode())
        await self.writer.drain()

    def place(self, name: str) -> Path:
        path = os.path.normpath(os.path.join(self.at, name))  # noqa: PTH118  (a path of the server, not of this machine)
        return self.server.folder / path.lstrip("/")

    async def do_user(self, _: str) -> str:
        return "331 password"

    async def do_pass(self, password: str) -> str:
        return "230 in" if password == PASSWORD else "530 Login incorrect."

    async def do_type(self, _: str) -> str:
        return "200 ok"

    async def do_pwd(self, _: str) -> str:
        return f'257 "{self.at}"'

    async def do_cwd(self, name: str) -> str:
        if not self.place(name).is_dir():
            return "550 Failed to change directory."
        self.at = "/" + str(self.place(name).relative_to(self.server.folder))
        return "250 ok"

    async def do_mkd(self, name: str) -> str:
        if self.server.is_read_only:
            return "550 Create directory operation failed."
        try:
            self.place(name).mkdir()
        except OSError:
            return "550 Create directory operation failed."
        return f'257 "{name}" created'

    async def do_size(self, name: str) -> str:
        file = self.place(name)
        return f"213 {file.stat().st_size}" if file.is_file() else "550 Could not get file size."

    async def do_dele(self, name: str) -> str:
        file = self.place(name)
        if not file.is_file() or self.server.is_read_only:
            return "550 Delete operation failed."
        file.unlink()
        return "250 ok"

    async def do_rnfr(self, name: str) -> str:
        self.source = self.place(name)
        return "350 ready" if self.source.is_file() else "550 RNFR command failed."

    async def do_rnto(self, name: str) -> str:
        self.source.rename(self.place(name))
        return "250 ok"

    async def do_rest(self, offset: str) -> str:
        self.offset = int(offset)
        return "350 ok"

    async def do_pasv(self, _: str) -> str:
        port = await self._listen()
        return f"227 Entering Passive Mode (127,0,0,1,{port // 256},{port % 256})."

    async def do_epsv(self, _: str) -> str:
        return f"229 Entering Extended Passive Mode (|||{await self._listen()}|)"

    async def _listen(self) -> int:
        if self.listener:
            self.listener.close()
        self.listener = await asyncio.start_server(lambda *ends: self.data.put_nowait(ends), LOOPBACK, 0)
        return self.listener.sockets[0].getsockname()[1]

    async def do_noop(self, _: str) -> str:
        return "200 ok"

    async def do_appe(self, name: str) -> str:
        reader, writer = await self.data.get()
        try:
            if self.server.is_read_only:
                return "553 Could not create file."
            await self.say("150 go on")
            came = 0
            with self.place(name).open("ab") as file:
                while block := await reader.read(65536):
                    came += file.write(block)
                    limit = self.server.breaks_off_after
                    if limit is not None and came >= limit:
                        writer.transport.abort()
                        raise OSError
            return "226 done"
        finally:
            writer.close()

    async def do_retr(self, name: str) -> str:
        _, writer = await self.data.get()
        file, offset, self.offset = self.place(name), self.offset, 0
        if not file.is_file():
            writer.close()
            return "550 Failed to open file."
        await self.say("150 here it comes")
        with suppress(OSError):
            writer.write(file.read_bytes()[offset:])
            await writer.drain()
        writer.close()
        return "226 done"

    async def do_list(self, name: str) -> str:
        _, writer = await self.data.get()
        await self.say("150 here it comes")
        place = self.place("" if name.startswith("-") else name)
        found = sorted(place.iterdir()) if place.is_dir() else [place] if place.is_file() else []
        for each in found:
            kind = "drwxr-xr-x" if each.is_dir() else "-rw-r--r--"
            found_at = datetime.fromtimestamp(each.stat().st_mtime, UTC)
            # As `ls` does: the year takes the place of the time of what is older than half a year.
            is_old = datetime.now(UTC) - found_at > timedelta(days=182)
            at = found_at.strftime("%b %d  %Y" if is_old else "%b %d %H:%M")
            writer.write(f"{kind}    1 0 0 {each.stat().st_size:12} {at} {each.name}\r\n".encode())
        await writer.drain()
        writer.close()
        return "226 done"


async def _serve(server: Ftp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _Session(server, reader, writer).serve()


@asynccontextmanager
async def ftp(folder: Path) -> AsyncGenerator[Ftp]:
    serving = Ftp(folder)
    tasks = set[asyncio.Task[None]]()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = handled(partial(_serve, serving), reader, writer)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, LOOPBACK, 0)
    serving.port = server.sockets[0].getsockname()[1]
    try:
        yield serving
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
