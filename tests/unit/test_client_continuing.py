"""Going on with a share of the account, by what an interrupted attempt has left on this machine."""

import json
from pathlib import Path

import httpx
import pytest

from waystation.connection import Connection
from waystation.continuing import take_over
from waystation.errors import NotFound
from waystation.journal import Entry
from waystation.sources import FileSource


class Server(httpx.AsyncBaseTransport):
    """Has the share with this id, under the code AB12; None: no share has it any more."""

    def __init__(self, share: str | None) -> None:
        self.share = share

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/shares":
            listed = {"id": self.share, "form": "code", "code": "AB12", "name": "a", "size": 1, "state": "active"}
            return httpx.Response(200, json={"shares": [listed] if self.share else [], "next": None})
        assert request.url.path == f"/v1/shares/{self.share}"
        item = {"id": f"item of {self.share}", "name": "a.bin", "size": 1, "state": "waiting", "upload": "ticket"}
        return httpx.Response(200, json={"id": self.share, "code": "AB12", "key": "key", "items": [item]})


async def taken_over(server: Server, folder: Path) -> dict[str, object]:
    """The notes of an attempt that is interrupted at once."""
    file = folder / "a.bin"
    file.write_bytes(b"a")
    connection = Connection("http://example.org", token="token", transport=server)
    try:
        with Entry(folder / "journal", "continue", ("AB12",)) as entry:
            await take_over(connection, "AB12", [FileSource(file)], entry)
            return json.loads(json.dumps(entry.data))
    finally:
        await connection.aclose()


async def test_a_code_that_names_another_share_now_is_not_mistaken_for_the_earlier_one(tmp_path: Path) -> None:
    server = Server("first")
    assert (await taken_over(server, tmp_path))["share"] == "first"
    server.share = "second"
    found = await taken_over(server, tmp_path)
    assert (found["share"], found["items"], found["uploads"]) == ("second", ["item of second"], {})


async def test_nothing_is_kept_of_a_share_that_has_gone(tmp_path: Path) -> None:
    server = Server("first")
    await taken_over(server, tmp_path)
    server.share = None
    with pytest.raises(NotFound):
        await taken_over(server, tmp_path)
    assert list((tmp_path / "journal").glob("*.json")) == []
