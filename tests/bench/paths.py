"""The ways in which the same bytes enter and leave the system."""

import base64
import hashlib
import json
import os
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from common.downloads import repr_digest
from tests.bench.wire import RequestFailed, fetch, send, send_file, send_form, send_json

ROOT = Path(__file__).parents[2]
CHUNK = 5 * 1024 * 1024
PARALLEL = 4
TUS = {"Tus-Resumable": "1.0.0"}
KEPT = {"expire_value": "1", "expire_style": "day"}


class Payload:
    """Random bytes, which no disk can compress. The first ones differ each time, so that no system knows them."""

    def __init__(self, size: int) -> None:
        self._bytes = bytearray(secrets.token_bytes(size))

    def fresh(self) -> memoryview:
        """The bytes with a new beginning. They stay as they are until the next call."""
        self._bytes[:32] = secrets.token_bytes(32)
        return memoryview(self._bytes)


def form_upload(url: str, content: memoryview) -> str:
    """Upload with one form of FileCodeBox's protocol and return the code."""
    return str(send_form(f"{url}/share/file/", "file", content, KEPT)["code"])


def link_upload(url: str, content: memoryview) -> str:
    """Upload with one form of File Uploader's protocol and return the link."""
    return str(send_file(f"{url}/api/upload/private", content)["file_url"])


def start_chunked(url: str, content: memoryview, sha256: str) -> str:
    new = {"file_name": "bench.bin", "file_size": len(content), "chunk_size": CHUNK, "file_hash": sha256}
    return str(send_json(f"{url}/chunk/upload/init/", new)["upload_id"])


def chunked_upload(url: str, content: memoryview, sha256: str) -> str:
    """Upload in chunks of 5 MiB, four at a time, and return the code as soon as the file is verified."""
    upload_id = start_chunked(url, content, sha256)

    def send_chunk(index: int) -> None:
        piece = content[index * CHUNK : (index + 1) * CHUNK]
        send_form(f"{url}/chunk/upload/chunk/{upload_id}/{index}", "chunk", piece, {})

    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(send_chunk, range(-(-len(content) // CHUNK))))
    end = {"expire_value": 1, "expire_style": "day"}
    return str(send_json(f"{url}/chunk/upload/complete/{upload_id}", end)["code"])


def archived(url: str, content: memoryview) -> str:
    """Share a file and a text, and return the URL of the zip file of both."""
    items = [{"name": "bench.bin", "size": len(content)}, {"text": "and some words"}]
    asked = memoryview(json.dumps({"items": items}).encode())
    share = json.loads(send(f"{url}/v1/shares", "POST", asked, {"Content-Type": "application/json"}).body)
    ticket = base64.b64encode(share["items"][0]["upload"].encode()).decode()
    headers = {
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Length": str(len(content)),
        "Upload-Metadata": f"item {ticket}",
    }
    send(f"{url}/files/", "POST", content, headers)
    return f"{url}/v1/codes/{share['code']}/zip"


def patch_upload(url: str, content: memoryview, **begun: str) -> str:
    """Upload by one PATCH of tus, and return the address of the upload. `begun`: headers of the request before it."""
    new = {name.replace("_", "-"): value for name, value in begun.items()} | {"Upload-Length": str(len(content))}
    location = str(send(f"{url}/v1/uploads", "POST", memoryview(b""), {**TUS, **new}).headers["Location"])
    sent = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    send(location, "PATCH", content, sent)
    return location


def pieces_upload(url: str, content: memoryview) -> str:
    """Upload in four pieces of tus at once, have them become one upload, and return its address."""
    length = -(-len(content) // PARALLEL)
    pieces = [content[at : at + length] for at in range(0, len(content), length)]
    with ThreadPoolExecutor(PARALLEL) as pool:
        addresses = pool.map(lambda piece: patch_upload(url, piece, Upload_Concat="partial"), pieces)
        whole = {**TUS, "Upload-Concat": f"final;{' '.join(addresses)}"}
    return str(send(f"{url}/v1/uploads", "POST", memoryview(b""), whole).headers["Location"])


def curl_upload(url: str, file: Path) -> None:
    """Upload a file by curl, with one request of tus after the one that begins it."""
    begun = httpx.post(f"{url}/v1/uploads", headers={**TUS, "Upload-Length": str(file.stat().st_size)})
    sent = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream", "Expect": ""}
    headers = [part for name, value in sent.items() for part in ("-H", f"{name}: {value}")]
    subprocess.run(["curl", "-sSf", "-X", "PATCH", "-T", str(file), *headers, begun.headers["Location"]], check=True)


def command_upload(url: str, file: Path, home: Path) -> None:
    """Upload a file by the command `waystation`, from its start to its end.

    The modules are compiled once, into `home`, as when the command is installed.
    """
    folders = {"XDG_CONFIG_HOME": str(home), "XDG_STATE_HOME": str(home), "PYTHONPYCACHEPREFIX": str(home / "compiled")}
    command = [sys.executable, "-m", "waystation", "send", "--quiet", "--server", url, str(file)]
    environment = {**os.environ, **folders, "PYTHONPATH": str(ROOT / "clients" / "python" / "src")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def checked(url: str) -> None:
    """Fetch and hash a file like a client that checks it. If the answer names a digest, it must be right."""
    digest = hashlib.sha256()
    said = fetch(url, digest)
    if said and said != repr_digest(digest.digest()):
        raise RequestFailed(f"{url}: the content is not what Repr-Digest says")
