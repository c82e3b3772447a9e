"""The servers that take files: this system and the peers. Large files come from one thread, small ones all at once."""

import asyncio
import json
from collections.abc import Callable
from typing import Protocol

from tests.bench.calls import Address, Call, address_of, exchange, request
from tests.bench.paths import KEPT, form_upload
from tests.bench.trees import Tree
from tests.bench.wire import BOUNDARY, RequestFailed

FORM_TAIL = "".join(
    f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in KEPT.items()
)


class Target(Protocol):
    """Something that takes files."""

    @property
    def name(self) -> str: ...

    @property
    def tree(self) -> Tree: ...

    @property
    def address(self) -> Address: ...

    def send(self, content: memoryview) -> str:
        """Upload a file and return the URL at which it can be fetched. Raises `RequestFailed`."""
        ...

    def sending(self, fresh: Callable[[], bytes]) -> Call:
        """A call that uploads a small file, whose content `fresh` makes."""
        ...


class Waystation:
    """This system, by one form of FileCodeBox's protocol for each file."""

    def __init__(self, name: str, url: str, tree: Tree) -> None:
        self.name, self.url, self.tree = name, url, tree

    @property
    def address(self) -> Address:
        return address_of(self.url)

    def send(self, content: memoryview) -> str:
        return f"{self.url}/share/select/?code={form_upload(self.url, content)}"

    def sending(self, fresh: Callable[[], bytes]) -> Call:
        host = "{}:{}".format(*self.address)
        start = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="small.bin"\r\n\r\n'.encode()
        end = f"{FORM_TAIL}\r\n--{BOUNDARY}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

        async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            made = request("POST", "/share/file/", host, kind, start + fresh() + end)
            answer = await exchange(reader, writer, made)
            if not json.loads(answer.body)["detail"]["code"]:
                raise RequestFailed("a small file got no code")

        return call
