"""The calls of FileCodeBox's contract that many tests need."""

import hashlib
import os
from typing import Any

import httpx

MIB = 1024 * 1024
CHUNK = 5 * MIB
UNKNOWN_ID = "0123456789abcdef" * 2
NAME_HASH = "1a2b3c4d".zfill(64)
"""The padded form of `file_hash`, which does not depend on the content."""

UNKNOWN = {"code": 404, "message": "ok", "msg": "ok", "detail": "文件不存在"}
ENDED = {"code": 404, "message": "ok", "msg": "ok", "detail": "文件已过期"}
NO_SESSION = {"detail": "Upload session not found"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def content(size: int = 3000) -> bytes:
    """Random bytes, so that no other test uploads the same content."""
    return os.urandom(size)


def detail(answer: httpx.Response) -> Any:
    """Assert a success with the dialect's envelope and return its `detail`."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert {name: body[name] for name in ("code", "message", "msg")} == {"code": 200, "message": "ok", "msg": "ok"}
    assert set(body) == {"code", "message", "msg", "detail"}
    return body["detail"]


def refused(answer: httpx.Response, status: int, text: str | None = None) -> None:
    """Assert an error: its status, and its text if one is given."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"detail"}
    assert isinstance(body["detail"], str)
    assert body["detail"]
    assert text is None or body["detail"] == text


def misshaped(answer: httpx.Response, field: str) -> None:
    """Assert that a field was missing or of the wrong type."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/json"
    errors = answer.json()["detail"]
    assert all(set(error) == {"type", "loc", "msg", "input"} for error in errors)
    assert [error["loc"][-1] for error in errors] == [field]


def share_text(client: httpx.Client, text: str = "a text", **fields: Any) -> str:
    answer = detail(client.post("/share/text/", data={"text": text, **fields}))
    assert set(answer) == {"code"}
    return answer["code"]


def post_file(client: httpx.Client, body: bytes, name: str = "a.txt", **fields: Any) -> httpx.Response:
    return client.post("/share/file/", files={"file": (name, body)}, data=fields)


def share_file(client: httpx.Client, body: bytes, name: str = "a.txt", **fields: Any) -> str:
    answer = detail(post_file(client, body, name, **fields))
    assert answer == {"code": answer["code"], "name": name}
    return answer["code"]


def init(client: httpx.Client, body: bytes, name: str = "a.bin", chunk_size: int = CHUNK, **fields: Any) -> str:
    """Begin a chunked upload of `body` and return its id."""
    asked = {"file_name": name, "file_size": len(body), "chunk_size": chunk_size, "file_hash": sha256(body)}
    return detail(client.post("/chunk/upload/init/", json=asked | fields))["upload_id"]


def send_chunk(client: httpx.Client, upload_id: str, index: int, chunk: bytes) -> httpx.Response:
    return client.post(f"/chunk/upload/chunk/{upload_id}/{index}", files={"chunk": ("blob", chunk)})


def complete(client: httpx.Client, upload_id: str, value: int = 1, style: str = "day") -> httpx.Response:
    return client.post(f"/chunk/upload/complete/{upload_id}", json={"expire_value": value, "expire_style": style})


def share_in_chunks(
    client: httpx.Client, body: bytes, name: str = "a.bin", chunk_size: int = CHUNK, **fields: Any
) -> httpx.Response:
    """Make every step of a chunked upload and return the answer to the last one."""
    upload_id = init(client, body, name, chunk_size, **fields)
    for index, chunk in enumerate(slices(body, chunk_size)):
        assert detail(send_chunk(client, upload_id, index, chunk)) == {"chunk_hash": sha256(chunk)}
    return complete(client, upload_id)


def slices(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def presign(client: httpx.Client, size: int, name: str = "a.bin", **fields: Any) -> dict[str, Any]:
    return detail(client.post("/presign/upload/init", json={"file_name": name, "file_size": size} | fields))


def put_file(client: httpx.Client, url: str, body: bytes) -> httpx.Response:
    return client.put(url, files={"file": ("blob", body)})


def metadata(client: httpx.Client, code: str) -> dict[str, Any]:
    return detail(client.post("/share/metadata/", json={"code": code}))


def select(client: httpx.Client, code: str) -> dict[str, Any]:
    return detail(client.post("/share/select/", json={"code": code}))


def download(client: httpx.Client, code: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """Select a code and fetch the file from the address in the answer."""
    return client.get(select(client, code)["download_url"], headers=headers)


def fetch(client: httpx.Client, code: str) -> bytes:
    answer = download(client, code)
    assert answer.status_code == 200, answer.text
    return answer.content
