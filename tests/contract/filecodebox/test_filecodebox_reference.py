"""FileCodeBox's reference document: its command lines by the real curl, and its JavaScript sample, on another port."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.filecodebox import wire
from tests.contract.filecodebox.wire import CHUNK, MIB, detail, sha256, slices

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def curl(*arguments: str) -> Any:
    """Run curl, which must succeed, and return its output as JSON."""
    run = subprocess.run(["curl", "--silent", "--show-error", "--fail", *arguments], capture_output=True, check=True)
    return json.loads(run.stdout)


def fetched(url: str, folder: Path) -> bytes:
    target = folder / "fetched"
    subprocess.run(["curl", "--silent", "--show-error", "--fail", "--location", "-o", str(target), url], check=True)
    return target.read_bytes()


def test_a_form_upload_can_be_picked_up(client: httpx.Client, tmp_path: Path) -> None:
    url, body = str(client.base_url).rstrip("/"), wire.content(12 * MIB)
    (tmp_path / "file.pdf").write_bytes(body)
    answer = curl(
        *("-X", "POST", f"{url}/share/file/"),
        *("-F", f"file=@{tmp_path}/file.pdf"),
        *("-F", "expire_value=7"),
        *("-F", "expire_style=day"),
    )
    assert answer["code"] == 200
    assert set(answer["detail"]) == {"code", "name"}
    assert answer["detail"]["name"] == "file.pdf"
    code = answer["detail"]["code"]
    assert sha256(fetched(f"{url}/share/select/?code={code}", tmp_path)) == sha256(body)
    # The command that the page offers for copying has no final slash.
    assert fetched(f"{url}/share/select?code={code}", tmp_path) == body


def test_a_chunked_upload_can_be_resumed(client: httpx.Client, tmp_path: Path) -> None:
    url, body = str(client.base_url).rstrip("/"), wire.content(2 * CHUNK + 1234)
    chunks = slices(body, CHUNK)
    for index, chunk in enumerate(chunks):
        (tmp_path / f"chunk_{index}").write_bytes(chunk)
    begin = {"file_name": "large_file.zip", "file_size": len(body), "chunk_size": CHUNK, "file_hash": sha256(body)}
    as_json = ("-H", "Content-Type: application/json", "-d")

    first = curl("-X", "POST", f"{url}/chunk/upload/init/", *as_json, json.dumps(begin))
    upload_id = first["detail"]["upload_id"]
    assert first["code"] == 200
    assert first["detail"] == {
        "existed": False,
        "upload_id": upload_id,
        "chunk_size": CHUNK,
        "total_chunks": 3,
        "uploaded_chunks": [],
    }

    def send(index: int) -> Any:
        target = f"{url}/chunk/upload/chunk/{upload_id}/{index}"
        return curl("-X", "POST", target, "-F", f"chunk=@{tmp_path}/chunk_{index}")

    for index in (2, 0):
        assert send(index)["detail"] == {"chunk_hash": sha256(chunks[index])}

    # The upload was interrupted and begins again with the same hash.
    again = curl("-X", "POST", f"{url}/chunk/upload/init/", *as_json, json.dumps(begin))
    assert again["detail"] == {**first["detail"], "uploaded_chunks": [0, 2]}
    for index in {0, 1, 2} - set(again["detail"]["uploaded_chunks"]):
        send(index)
    ended = curl(
        *("-X", "POST", f"{url}/chunk/upload/complete/{upload_id}"),
        *(*as_json, json.dumps({"expire_value": 7, "expire_style": "day"})),
    )
    assert ended["code"] == 200
    assert ended["detail"] == {"code": ended["detail"]["code"], "name": "large_file.zip"}
    assert sha256(fetched(f"{url}/share/select/?code={ended['detail']['code']}", tmp_path)) == sha256(body)


def test_the_javascript_sample_sends_raw_chunks_and_json_as_plain_text(client: httpx.Client) -> None:
    """`fetch` sends a string body as text/plain, and a Blob without a type without any content type."""
    body = wire.content(25_000)

    def post(path: str, **fields: Any) -> Any:
        headers = {"Content-Type": "text/plain;charset=UTF-8"}
        return detail(client.post(path, content=json.dumps(fields), headers=headers))

    begun = post(
        "/chunk/upload/init/", file_name="a.zip", file_size=len(body), chunk_size=10_000, file_hash=sha256(body)
    )
    for index, chunk in enumerate(slices(body, 10_000)):
        sent = detail(client.post(f"/chunk/upload/chunk/{begun['upload_id']}/{index}", content=chunk))
        assert sent["chunk_hash"] == sha256(chunk)
    ended = post(f"/chunk/upload/complete/{begun['upload_id']}", expire_value=7, expire_style="day")
    assert wire.fetch(client, ended["code"]) == body


def test_a_chunk_with_curls_default_content_type_is_read_as_raw_bytes(client: httpx.Client, tmp_path: Path) -> None:
    body = wire.content(5000)
    (tmp_path / "chunk").write_bytes(body)
    upload_id = wire.init(client, body)
    sent = curl(
        *("-X", "POST", "--data-binary", f"@{tmp_path}/chunk"),
        f"{str(client.base_url).rstrip('/')}/chunk/upload/chunk/{upload_id}/0",
    )
    assert sent["detail"]["chunk_hash"] == sha256(body)
    assert wire.fetch(client, detail(wire.complete(client, upload_id))["code"]) == body


def test_errors_have_the_texts_of_the_reference_document(client: httpx.Client) -> None:
    body = wire.content(10)
    too_large = {"file_name": "a", "file_size": 10 * 1024**3 + 1, "file_hash": wire.NAME_HASH}
    limit = "Size exceeds limit, maximum is 10240.00 MB"
    wire.refused(client.post("/chunk/upload/init/", json=too_large), 403, limit)
    wire.refused(client.post("/presign/upload/init", json=too_large), 403, limit)
    wire.refused(wire.post_file(client, body, expire_style="week"), 400, "Invalid expiration type")
    wire.refused(wire.send_chunk(client, wire.UNKNOWN_ID, 0, body), 404, "Upload session not found")
    upload_id = wire.init(client, body)
    wire.refused(wire.send_chunk(client, upload_id, 1, body), 400, "Invalid chunk index")
    wire.refused(wire.complete(client, upload_id), 400, "Incomplete chunks")
