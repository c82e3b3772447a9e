"""A client as a decent one is: it tries again when a connection breaks, and obeys 503 with `Retry-After`."""

import asyncio
import hashlib
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import ClientError, ClientSession, ClientTimeout, FormData, TCPConnector

PATIENCE = 120.0
"""Seconds for which a request is tried again."""
PAUSE = 0.3
"""Seconds, on average, before a request whose connection broke is tried again."""
FAILURES = (ClientError, TimeoutError, OSError)
OF_THE_MOMENT = {409, 423, 425, 429, 503}
"""Statuses that are worth another try; all but 409 have to say when."""

Files = Mapping[str, tuple[str, bytes]]


class Refused(Exception):
    """An answer that a client does not try to get again, and did not expect."""


class Stuck(Exception):
    """No answer that helps came for a long time."""


class Wrong(Exception):
    """A success whose content is not what was asked for."""


def expect(is_so: bool, otherwise: object) -> None:
    """Raises `Wrong`."""
    if not is_so:
        raise Wrong(otherwise)


@dataclass(slots=True)
class Tally:
    """Counts of what all clients met."""

    requests: int = 0
    retries: Counter[str] = field(default_factory=Counter[str])
    """How often a request was tried again, by the reason."""
    wrong: Counter[str] = field(default_factory=Counter[str])
    """Answers that are wrong at any time: 5xx that is not 503, and 503 without `Retry-After`."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")


@dataclass(slots=True)
class Copy:
    """The received part of a file."""

    digest: Any = field(default_factory=hashlib.sha256)
    size: int = 0
    name: str | None = None
    etag: str | None = None
    promised: str | None = None
    """`Repr-Digest`, which an archive has not."""

    @property
    def sha256(self) -> str:
        return self.digest.hexdigest()


class Client:
    """One person: an address, and perhaps an account."""

    def __init__(self, http: ClientSession, tally: Tally, headers: Mapping[str, str] | None = None) -> None:
        self.http, self.tally = http, tally
        self.headers = dict(headers or {})

    def signed_in(self, authorization: str) -> "Client":
        return Client(self.http, self.tally, {**self.headers, "Authorization": authorization})

    @property
    def stranger(self) -> "Client":
        """The same person without the account."""
        return Client(self.http, self.tally)

    async def ask(
        self,
        method: str,
        path: str,
        *expected: int,
        failed: Callable[[str], None] | None = None,
        again: Collection[int] = (),
        **sent: Any,
    ) -> Answer:
        """The first answer with one of these statuses. `failed` is told of each attempt that came to nothing.

        `again`: statuses by which this protocol says that something is down. `sent`: `json`, `fields` and `files` of a
        form, `data`, `headers`; each may be a function that makes it for one attempt. Raises `Refused` and `Stuck`.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                answer = await self.once(method, path, **sent)
            except FAILURES as error:
                problem, pause = type(error).__name__, random.uniform(0, 2 * PAUSE)
                self.tally.retries["connection broke"] += 1
            else:
                if answer.status in expected:
                    return answer
                problem, pause = f"{answer.status} {answer.text[:200]}", self.pause_after(method, path, answer, again)
            if failed:
                failed(problem)
            if time.monotonic() > until:
                raise Stuck(f"{method} {shape(path)}: {problem}")
            await asyncio.sleep(pause)

    def pause_after(self, method: str, path: str, answer: Answer, again: Collection[int] = ()) -> float:
        """The seconds to wait after an answer that was not expected, before another attempt. Raises `Refused`."""
        told = answer.headers.get("Retry-After")
        if answer.status < 500 and answer.status not in OF_THE_MOMENT:
            raise Refused(f"{method} {shape(path)}: {answer.status} {answer.text[:300]}")
        self.tally.retries[str(answer.status)] += 1
        if answer.status in again:
            return float(told or 1)
        if answer.status not in OF_THE_MOMENT or (told is None and answer.status != 409):
            self.tally.wrong[f"{method} {shape(path)}: {answer.status} {answer.text[:120]}"] += 1
        return float(told) if told else 1.0

    async def once(self, method: str, path: str, **sent: Any) -> Answer:
        """The whole answer to one attempt."""
        self.tally.requests += 1
        async with self.http.request(method, path, **self.request(**sent)) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    def request(self, **sent: Any) -> dict[str, Any]:
        """The options of aiohttp for one attempt."""
        made: dict[str, Any] = {name: value() if callable(value) else value for name, value in sent.items()}
        options: dict[str, Any] = {"headers": {**self.headers, **made.pop("headers", {})}}
        if "files" in made or "fields" in made:
            form = FormData(quote_fields=False, default_to_multipart=True)
            for name, value in made.pop("fields", {}).items():
                form.add_field(name, str(value))
            for name, (file_name, content) in made.pop("files", {}).items():
                form.add_field(name, content, filename=file_name)
            options["data"] = form
        return {**options, **made}

    async def copy(self, path: str) -> Copy:
        """A whole copy of a file. After a break it is continued where it was. Raises `Refused` and `Stuck`."""
        until = time.monotonic() + PATIENCE
        copy = Copy()
        while True:
            try:
                answer = await self.receive(path, copy)
            except FAILURES as error:
                problem, pause = repr(error), random.uniform(0, 2 * PAUSE)
                self.tally.retries["connection broke"] += 1
            else:
                if answer is None:
                    return copy
                problem, pause = answer.text[:200], self.pause_after("GET", path, answer)
            if time.monotonic() > until:
                raise Stuck(f"GET {shape(path)}: {problem}")
            await asyncio.sleep(pause)

    async def receive(
        self, path: str, copy: Copy, begun: Callable[[], None] | None = None, ranges: str | None = None
    ) -> Answer | None:
        """Ask for the rest of a copy; the answer if it is not content. `begun` is called when content begins."""
        self.tally.requests += 1
        headers = dict(self.headers)
        if copy.size and copy.etag:
            headers |= {"Range": f"bytes={copy.size}-", "If-Range": copy.etag}
        elif ranges:
            headers["Range"] = ranges
        async with self.http.get(path, headers=headers) as answer:
            if answer.status not in (200, 206) or "ETag" not in answer.headers:
                return Answer(answer.status, answer.headers, await answer.read())
            if copy.size and answer.status == 200:
                raise Refused(f"GET {shape(path)}: the whole file, although a range was asked for")
            copy.etag, copy.promised = answer.headers["ETag"], answer.headers.get("Repr-Digest")
            copy.name = name_in(answer.headers.get("Content-Disposition", ""))
            if begun:
                begun()
            async for block in answer.content.iter_any():
                copy.digest.update(block)
                copy.size += len(block)
        return None


class Clients:
    """Clients by their addresses, which are addresses of this machine's loopback."""

    def __init__(self, url: str) -> None:
        self.tally = Tally()
        self._url = url
        self._sessions: dict[int, ClientSession] = {}

    def at(self, number: int) -> Client:
        """A client without an account. The same number is the same address."""
        if number not in self._sessions:
            connector = TCPConnector(local_addr=(f"127.0.1.{number + 1}", 0), limit=0)
            timeout = ClientTimeout(total=60, sock_connect=10)
            self._sessions[number] = ClientSession(self._url, connector=connector, timeout=timeout)
        return Client(self._sessions[number], self.tally)

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()


def name_in(disposition: str) -> str | None:
    """The file name in a `Content-Disposition`."""
    if found := re.search(r"filename\*=UTF-8''([^;]+)", disposition, re.IGNORECASE):
        return unquote(found[1])
    found = re.search(r'filename="((?:[^"\\]|\\.)*)"', disposition)
    return found[1] if found else None


def shape(path: str) -> str:
    """A path without ids, links and codes."""
    path, _, query = path.partition("?")
    segments = [each if re.fullmatch(r"|v1|[a-z_]{1,20}", each) else "…" for each in path.split("/")]
    return "/".join(segments) + ("?…" if query else "")
