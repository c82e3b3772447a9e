"""Receiving from a server that cannot be trusted."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from waystation import AsyncClient, BadAnswer, Damaged, NotSignedIn, PasswordNeeded, UnknownCode

CONTENT = b"0123456789" * 1000


class Stream(httpx.AsyncByteStream):
    """A body that comes in one block."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


class Server(httpx.AsyncBaseTransport):
    """Offers items of the same content under names of its choice."""

    def __init__(self, *names: str, digest: bytes | None = None) -> None:
        self.names = names
        self.sha256 = digest or hashlib.sha256(CONTENT).digest()
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if "/items/" not in request.url.path:
            items = [
                {"id": str(number), "name": name, "size": len(CONTENT), "state": "ready"}
                for number, name in enumerate(self.names)
            ]
            return httpx.Response(200, json={"code": "AB12", "items": items})
        headers = {"ETag": '"1"', "Repr-Digest": f"sha-256=:{base64.b64encode(self.sha256).decode()}:"}
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        if not found:
            return httpx.Response(200, headers={**headers, "Content-Length": str(len(CONTENT))})
        first, last = int(found[1]), int(found[2])
        headers["Content-Range"] = f"bytes {first}-{last}/{len(CONTENT)}"
        return httpx.Response(206, headers=headers, stream=Stream(CONTENT[first : last + 1]))


class Answers(httpx.AsyncBaseTransport):
    """Gives the same answer to everything."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.hosts: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.hosts.append(request.url.host)
        return self.answer


def client_of(tmp_path: Path, transport: httpx.AsyncBaseTransport, **options: str) -> AsyncClient:
    return AsyncClient("http://a.example", transport=transport, journal=tmp_path / "state", patience=0, **options)


async def test_no_name_leads_out_of_the_folder_or_through_a_link(tmp_path: Path) -> None:
    names = ["../up", "/tmp/absolute", "..\\back", "..", ".profile", "linked", "a\0b\n", "same", "same", "x" * 4000]
    folder, outside = tmp_path / "in", tmp_path / "outside"
    folder.mkdir()
    outside.write_bytes(b"untouched")
    (folder / "linked").symlink_to(outside)
    async with client_of(tmp_path, Server(*names)) as client:
        for overwrite in (False, True):
            received = await client.get("AB12", folder, overwrite=overwrite)
            assert {one.path.parent for one in received if one.path} == {folder}
    assert outside.read_bytes() == b"untouched"
    assert not (tmp_path / "up").exists()
    assert not (folder / "linked").is_symlink()
    assert all(path.read_bytes() == CONTENT and not path.name.startswith(".") for path in folder.iterdir())
    assert {"same", "same (2)", "linked (2)", "up", "profile", "unnamed"} <= {path.name for path in folder.iterdir()}


async def test_content_that_is_not_what_was_sent_is_not_kept(tmp_path: Path) -> None:
    async with client_of(tmp_path, Server("a", digest=bytes(32))) as client:
        with pytest.raises(Damaged):
            await client.get("AB12", tmp_path / "in")
        with pytest.raises(Damaged):
            await client.pipe("AB12", bytearray().extend)
    assert list((tmp_path / "in").iterdir()) == []
    assert list((tmp_path / "state").iterdir()) == []


async def test_a_partial_file_of_other_content_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    async with client_of(tmp_path, Server("a")) as client:
        received = await client.get("AB12", tmp_path / "in")
    assert received[0].path is not None
    assert received[0].path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(404, json={"code": "unknown_code"}), UnknownCode),
        (httpx.Response(410, json={"code": "share_ended"}), UnknownCode),
        (httpx.Response(401, json={"code": "password_needed"}), PasswordNeeded),
        (httpx.Response(401, json={"code": "other"}), NotSignedIn),
        (httpx.Response(200, text="<html>"), BadAnswer),
        (httpx.Response(200, json={"code": "AB12"}), BadAnswer),
        (httpx.Response(200, json=[1]), BadAnswer),
        (httpx.Response(302, headers={"Location": "http://b.example/"}), Exception),
    ],
)
async def test_answers_become_errors_and_no_other_host_is_asked(
    tmp_path: Path, answer: httpx.Response, error: type[Exception]
) -> None:
    transport = Answers(answer)
    async with client_of(tmp_path, transport, token="secret") as client:
        with pytest.raises(error) as raised:
            await client.get("AB12", tmp_path / "in")
    assert set(transport.hosts) == {"a.example"}
    assert "secret" not in str(raised.value)
