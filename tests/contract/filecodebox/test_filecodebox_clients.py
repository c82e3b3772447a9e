"""The calls of FileCodeBox's clients, in the order and form in which they send them."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urljoin

import httpx

from tests.contract.conftest import Visitor
from tests.contract.filecodebox import wire
from tests.contract.filecodebox.wire import CHUNK, MIB, sha256, slices


def sampled(body: bytes) -> str:
    """The hash that the 2024 theme computes for a file over 10 MiB: a sample of it."""
    size = str(len(body)).encode().ljust(16, b"\0")
    return sha256(body[:CHUNK] + body[-CHUNK:] + size)


def parsed(answer: httpx.Response) -> Any:
    """The result that the themes' HTTP library returns: the body of any success."""
    assert answer.is_success, answer.text
    return answer.json()


def test_the_2024_theme_uploads_in_chunks_and_resumes(client: httpx.Client) -> None:
    config = parsed(client.get("/api/v1/config"))["detail"]["config"]
    assert config["enableChunk"] == 1
    assert "day" in config["expireStyle"]
    body, name = wire.content(2 * CHUNK + MIB), "报告 2024.bin"
    asked = {"file_name": name, "file_size": len(body), "chunk_size": CHUNK, "file_hash": sampled(body)}
    begun = parsed(client.post("/chunk/upload/init/", data=asked))
    assert begun["code"] == 200
    assert begun["detail"]["existed"] is False
    assert re.fullmatch("[0-9a-f]{32}", begun["detail"]["upload_id"])
    upload_id = begun["detail"]["upload_id"]

    def send(indexed: tuple[int, bytes]) -> Any:
        index, chunk = indexed
        files = {"chunk": ("blob", chunk, "application/octet-stream")}
        return parsed(client.post(f"/chunk/upload/chunk/{upload_id}/{index}", files=files))

    # The theme sends three chunks at a time and ignores the chunk size in the answer.
    with ThreadPoolExecutor(3) as sending:
        assert [sent["code"] for sent in sending.map(send, enumerate(slices(body, CHUNK)))] == [200] * 3
    ended = parsed(client.post(f"/chunk/upload/complete/{upload_id}", data={"expire_value": 1, "expire_style": "day"}))
    code = ended["detail"]["code"]
    assert re.fullmatch("[A-Z0-9]{5}", code)
    assert ended["detail"]["name"] == name

    found = parsed(client.post("/share/select/", json={"code": code}))["detail"]
    assert (found["is_text"], found["type"], found["name"], found["size"]) == (
        False,
        "file",
        "报告 2024.bin",
        len(body),
    )
    assert found["download_url"].startswith("/share/download?key=")
    assert client.get(urljoin(str(client.base_url), found["download_url"])).content == body


def test_the_2024_theme_presigns_when_chunks_are_disabled(client: httpx.Client) -> None:
    body = wire.content(70_000)
    asked = {"file_name": "a.zip", "file_size": len(body), "expire_value": 2, "expire_style": "count"}
    begun = parsed(client.post("/presign/upload/init", json=asked))["detail"]
    assert begun["mode"] == "proxy"
    for url in (begun["proxy_upload_url"], begun["legacy_proxy_upload_url"]):
        # A repeated call finds the upload complete and gets the same code.
        done = parsed(client.put(url, files={"file": ("a.zip", body, "application/zip")}))
        assert (done["code"], done["detail"]["name"]) == (200, "a.zip")
    assert wire.metadata(client, done["detail"]["code"])["remaining_downloads"] == 2
    assert wire.fetch(client, done["detail"]["code"]) == body


def test_the_2024_theme_can_tell_a_text_by_any_of_three_fields(client: httpx.Client) -> None:
    form = {"text": (None, "a text"), "expire_value": (None, "1"), "expire_style": (None, "day")}
    code = parsed(client.post("/share/text/", files=form))["detail"]["code"]
    found = parsed(client.post("/share/select/", json={"code": code}))["detail"]
    assert (found["is_text"], found["type"], found["name"]) == (True, "text", "Text")
    assert found["text"] == "a text"


def test_the_2023_theme_sends_bearer_null_with_every_call(client: httpx.Client) -> None:
    with httpx.Client(base_url=client.base_url, timeout=60, headers={"Authorization": "Bearer null"}) as theme:
        config = parsed(theme.post("/"))["detail"]
        assert config["uploadSize"] > 0
        body = wire.content(12_000)
        form = {"file": ("old.bin", body), "expire_value": (None, "1"), "expire_style": (None, "hour")}
        code = parsed(theme.post("/share/file/", files=form))["detail"]["code"]
        found = parsed(theme.post("/share/select/", json={"code": code}))["detail"]
        assert found["text"].startswith("/share/download")
        assert theme.get(found["text"]).content == body

        asked = {"file_name": "o.bin", "file_size": len(body), "chunk_size": CHUNK, "file_hash": sha256(body)}
        begun = parsed(theme.post("/chunk/upload/init/", json=asked))["detail"]
        parsed(theme.post(f"/chunk/upload/chunk/{begun['upload_id']}/0", files={"chunk": ("blob", body)}))
        ended = {"expire_value": 1, "expire_style": "day"}
        done = parsed(theme.post(f"/chunk/upload/complete/{begun['upload_id']}", json=ended))["detail"]
        assert wire.fetch(theme, done["code"]) == body


def test_the_chat_bot_recognises_texts_by_name_and_appends_relative_addresses(client: httpx.Client) -> None:
    base = str(client.base_url).rstrip("/")
    asked = {"text": "a note & more", "expire_value": 1, "expire_style": "day"}
    text_code = parsed(client.post("/share/text/", data=asked))["detail"]["code"]
    file_code = wire.share_file(client, b"file of the bot" + wire.content(50), "bot.txt")
    results: dict[str, bytes] = {}
    for code in (text_code, file_code):
        found = parsed(client.post("/share/select/", json={"code": code}))["detail"]
        if found["name"] == "Text":
            results[found["name"]] = found["text"].encode()
        else:
            results[found["name"]] = client.get(base + found["text"]).content
    assert results["Text"] == b"a note & more"
    assert results["bot.txt"].startswith(b"file of the bot")


def test_the_shell_client_greps_the_code_without_jq(visitor: Visitor) -> None:
    """`grep -o '"code":"[0-9]*"'` only finds codes that consist of digits, and only in compact JSON."""
    client = visitor()
    answer = client.post("/share/text/", data={"text": "from a shell", "expire_value": "1", "expire_style": "day"})
    found = re.findall('"code":"([0-9]*)"', answer.text)
    assert len(found) == 1
    assert 10_000 <= int(found[0]) <= 99_999
    assert client.get("/share/select", params={"code": found[0]}, follow_redirects=True).text == "from a shell"
