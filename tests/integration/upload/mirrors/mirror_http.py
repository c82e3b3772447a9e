"""A store in a thread that takes a file by POST and answers with its URL."""

import asyncio
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from deploy.local.ports import LOOPBACK
from tests.integration.upload.mirrors.mirror_front import Background


class HttpStore:
    """Keeps files in a folder, named by the `Idempotency-Key` that they came with."""

    def __init__(self, folder: Path, background: Background) -> None:
        self.token = secrets.token_hex(16)
        self._folder, self._background = folder, background
        self._runner, self.port = background.run(self._start())

    async def _start(self) -> tuple[web.AppRunner, int]:
        application = web.Application(client_max_size=0)
        application.add_routes(
            [
                web.post("/upload", self._upload),
                web.post("/upload.json", self._upload_json),
                web.get("/files/{path:.+}", self._file),
                web.get("/rangeless/{path:.+}", self._whole),
                web.delete("/files/{path:.+}", self._delete),
                web.get("/ping", self._ping),
                web.get("/moved", self._moved),
            ]
        )
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        return runner, runner.addresses[0][1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._background.run(self._runner.cleanup())

    async def _upload(self, request: web.Request) -> web.Response:
        return web.Response(text=await self._store(request) + "\n", status=201)

    async def _upload_json(self, request: web.Request) -> web.Response:
        return web.json_response({"url": await self._store(request), "ok": True})

    async def _store(self, request: web.Request) -> str:
        self._authorize(request)
        path = request.headers["Idempotency-Key"]
        content = await request.content.read() if request.content_length else b""
        if len(content) != request.content_length:
            raise web.HTTPBadRequest
        file = self._folder / path
        file.parent.mkdir(exist_ok=True)
        await asyncio.to_thread(file.write_bytes, content)
        return f"http://{request.host}/files/{path}"

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(self._found(request))

    async def _whole(self, request: web.Request) -> web.Response:
        return web.Response(body=self._found(request).read_bytes())

    async def _delete(self, request: web.Request) -> web.Response:
        self._authorize(request)
        self._found(request).unlink()
        return web.Response(status=204)

    async def _ping(self, request: web.Request) -> web.Response:
        self._authorize(request)
        return web.Response(text="pong")

    async def _moved(self, request: web.Request) -> web.Response:
        raise web.HTTPFound("/ping")

    def _found(self, request: web.Request) -> Path:
        file = self._folder / request.match_info["path"]
        if not file.is_file():
            raise web.HTTPNotFound
        return file

    def _authorize(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise web.HTTPUnauthorized
