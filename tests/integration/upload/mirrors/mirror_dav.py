"""A WebDAV server in memory that can be as particular as some real ones are."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from aiohttp import web

from deploy.local.ports import LOOPBACK

DATE = "Mon, 01 Jan 2024 00:00:00 GMT"


@dataclass
class Dav:
    """Folders end in a slash. It refuses paths with an empty segment, as strict servers do."""

    content: dict[str, bytes] = field(default_factory=dict[str, bytes])
    folders: set[str] = field(default_factory=lambda: {"/"})
    made_meanwhile: int | None = None
    """The status with which MKCOL answers, as if another request had just made the folder."""
    always: tuple[int, dict[str, str]] | None = None
    """The answer to everything."""
    asked: list[str] = field(default_factory=list[str])
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        path = unquote(request.raw_path)
        self.asked.append(f"{request.method} {path}")
        if self.always:
            return web.Response(status=self.always[0], headers=self.always[1])
        if "//" in path:
            return web.Response(status=400)
        answers: dict[str, Callable[[web.Request, str], Awaitable[web.Response]]] = {
            "PROPFIND": self._find,
            "MKCOL": self._make,
            "PUT": self._put,
            "MOVE": self._move,
        }
        if request.method in answers:
            return await answers[request.method](request, path)
        if path not in self.content:
            return web.Response(status=404)
        if request.method == "DELETE":
            del self.content[path]
            return web.Response(status=204)
        return web.Response(body=self.content[path])

    async def _find(self, request: web.Request, path: str) -> web.Response:
        folder = path.rstrip("/") + "/"
        if path not in self.content and folder not in self.folders:
            return web.Response(status=404)
        found = [path if path in self.content else folder]
        if request.headers.get("Depth") == "1":
            found += [each for each in (*self.content, *self.folders) if _parent(each) == folder and each != folder]
        members = "".join(self._described(each) for each in found)
        text = f'<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">{members}</D:multistatus>'
        return web.Response(status=207, text=text, content_type="application/xml")

    def _described(self, path: str) -> str:
        kind = "<D:collection/>" if path in self.folders else ""
        length = f"<D:getcontentlength>{len(self.content.get(path, b''))}</D:getcontentlength>"
        properties = f"<D:getlastmodified>{DATE}</D:getlastmodified><D:resourcetype>{kind}</D:resourcetype>{length}"
        return (
            f"<D:response><D:href>{quote(path)}</D:href><D:propstat><D:prop>{properties}</D:prop>"
            "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        )

    async def _make(self, _: web.Request, path: str) -> web.Response:
        folder = path.rstrip("/") + "/"
        if folder in self.folders:
            return web.Response(status=405)
        if _parent(folder) not in self.folders:
            return web.Response(status=409)
        self.folders.add(folder)
        return web.Response(status=self.made_meanwhile or 201)

    async def _put(self, request: web.Request, path: str) -> web.Response:
        content = await request.read()
        if _parent(path) not in self.folders:
            return web.Response(status=409)
        self.content[path] = content
        return web.Response(status=201)

    async def _move(self, request: web.Request, path: str) -> web.Response:
        target = unquote(urlsplit(request.headers["Destination"]).path)
        if path not in self.content or _parent(target) not in self.folders:
            return web.Response(status=409)
        self.content[target] = self.content.pop(path)
        return web.Response(status=201)


def _parent(path: str) -> str:
    return path.rstrip("/").rpartition("/")[0] + "/"


@asynccontextmanager
async def dav() -> AsyncGenerator[Dav]:
    serving = Dav()
    application = web.Application(client_max_size=0)
    application.router.add_route("*", "/{path:.*}", serving.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        serving.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}"
        yield serving
    finally:
        await runner.cleanup()
