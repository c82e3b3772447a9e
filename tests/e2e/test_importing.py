"""People move in: the codes and links that they gave away before work here, with what was left of their lives."""

import secrets
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.filecodebox import wire
from tests.e2e.faults import PATIENCE
from tests.e2e.filecodebox_folder import Folder, moment
from tests.e2e.importing import begin, run
from tests.integration.upload.mirrors.mirror_front import background
from tests.integration.upload.mirrors.mirror_servers import SERVERS

MIB = 1024 * 1024


@pytest.fixture
def client(stack: StartedStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        yield client


def text_of(client: httpx.Client, code: str) -> str:
    return client.get("/share/select/", params={"code": code}).text


def new_code() -> str:
    return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(5))


def test_codes_of_filecodebox_work_with_what_is_left_of_them(
    stack: StartedStack, client: httpx.Client, tmp_path: Path
) -> None:
    folder, content = Folder(tmp_path / "data"), wire.content(2 * MIB)
    codes = {name: new_code() for name in ("file", "text", "counted", "forever", "over", "spent", "lost", "short")}
    taken = wire.share_text(client, "was here before")
    folder.set()
    folder.share_file(codes["file"], content, "résumé 简历.PDF", used_count=3)
    folder.share_text(codes["text"], "a text\nof two lines")
    # With a count that is left, the date counts for nothing.
    folder.share_file(codes["counted"], b"twice", expired_count=2, expired_at=moment(days=-3), used_count=1)
    folder.share_file(codes["forever"], b"", expired_at=None)
    folder.share_file(codes["over"], b"over", expired_at=moment(seconds=-1))
    folder.share_file(codes["spent"], b"spent", expired_count=0, expired_at=None)
    lost = folder.share_file(codes["lost"], b"lost")
    folder.share_file(codes["short"], b"cut off", size=100)
    folder.share_text(taken, "has the code of another")
    folder.share_text("ADMIN", "has a word of ours")
    folder.put_locally()
    (folder.root / lost).unlink()

    status, output = run(stack, "filecodebox", str(tmp_path))
    assert (status, "would import: 4 files" in output) == (3, True), output
    assert client.get(f"/v1/codes/{codes['file']}").status_code == 404
    status, output = run(stack, "filecodebox", str(tmp_path), "--write")
    assert (status, "imported: 3 files" in output, "2 had ended, 4 are left out" in output) == (3, True, True), output
    for left_out in (codes["lost"], codes["short"], taken, "ADMIN"):
        assert f"left out: {left_out}: " in output

    answer = wire.download(client, codes["file"])
    assert answer.content == content
    assert "r%C3%A9sum%C3%A9%20%E7%AE%80%E5%8E%86.PDF" in answer.headers["Content-Disposition"]
    assert text_of(client, codes["text"]) == "a text\nof two lines"
    assert wire.download(client, codes["forever"]).content == b""
    assert text_of(client, taken) == "was here before"
    left = {name: client.get(f"/v1/codes/{codes[name]}").json() for name in ("file", "counted", "forever", "spent")}
    assert (left["counted"]["downloads_left"], left["counted"]["expires_at"]) == (2, None)
    assert (left["forever"]["downloads_left"], left["forever"]["expires_at"]) == (None, None)
    ends = datetime.fromisoformat(left["file"]["expires_at"])
    assert timedelta(hours=47) < ends - datetime.now(UTC) < timedelta(hours=48)
    assert left["spent"]["code"] == "unknown_code"
    assert wire.download(client, codes["counted"]).content == b"twice"

    status, output = run(stack, "filecodebox", str(tmp_path), "--write")
    assert "imported: 0 files (0.00 GiB) and 0 texts; 4 were there" in output, output


@pytest.mark.long
def test_an_import_that_is_killed_goes_on(stack: StartedStack, client: httpx.Client, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    contents = {new_code(): secrets.token_bytes(2 * MIB) for _ in range(40)}
    for code, content in contents.items():
        folder.share_file(code, content)
    folder.put_locally()
    process, first = begin(stack, "filecodebox", str(tmp_path), "--write"), next(iter(contents))
    deadline = time.monotonic() + PATIENCE
    while client.get(f"/v1/codes/{first}").status_code == 404:
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    assert "imported:" not in process.communicate()[0]
    status, output = run(stack, "filecodebox", str(tmp_path), "--write")
    assert (status, " 0 are left out" in output) == (0, True), output
    assert "; 0 were there" not in output
    for code, content in contents.items():
        assert wire.download(client, code).content == content


@pytest.mark.long
@pytest.mark.parametrize("kind", ["s3", "webdav"])
def test_files_on_a_server_are_read_from_there(
    stack: StartedStack, client: httpx.Client, tmp_path: Path, kind: str
) -> None:
    folder, code, content = Folder(tmp_path / "data"), new_code(), wire.content(7 * MIB)
    (tmp_path / kind).mkdir()
    with background() as running, SERVERS[kind](tmp_path / kind, running) as server:
        given = server.options
        root = given["root"].strip("/")
        path = folder.share_file(code, content, root=root if kind == "s3" else "")
        (tmp_path / kind / root / path).parent.mkdir(parents=True, exist_ok=True)
        server.contents.put(path.removeprefix(f"{root}/"), content)
        if kind == "s3":
            folder.set(
                file_storage="s3",
                s3_bucket_name=given["bucket"],
                s3_endpoint_url=given["endpoint"],
                s3_region_name=given["region"],
                s3_access_key_id=given["access_key_id"],
                s3_secret_access_key=given["secret_access_key"],
            )
        else:
            folder.set(
                file_storage="webdav",
                webdav_url=given["endpoint"],
                webdav_username=given["username"],
                webdav_password=given["password"],
                webdav_root_path=root,
            )
        status, output = run(stack, "filecodebox", str(folder.root), "--write")
    assert (status, "imported: 1 files" in output) == (0, True), output
    assert wire.download(client, code).content == content


def test_links_of_file_uploader_work(stack: StartedStack, client: httpx.Client, tmp_path: Path) -> None:
    name, content = "aB3-" + new_code() + "k", wire.content()
    with closing(sqlite3.connect(tmp_path / "dataBase.db")) as database, database:
        database.execute(
            "create table file (id integer primary key, user_id int, group_id int, created_date text, url text, "
            "filename text, craeted_at real, last_watched text, key text, type text, ext text, size text, "
            "user_filename text, uses_number int, max_uses int)"
        )
        insert = "insert into file (url, filename, craeted_at, key, ext, size, user_filename, uses_number, max_uses)"
        for url, kept, most in ((f"{name}.mp4", "1.mp4", 0), ("not a link", "1.mp4", 0), ("aaaaaaaaaa", "1.mp4", 5)):
            database.execute(
                f"{insert} values (?, ?, 1706700000.1, 'key', '.mp4', '2.9KB', 'a film.mp4', 5, ?)",
                [url, kept, most],
            )
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "1.mp4").write_bytes(content)
    status, output = run(stack, "fileuploader", str(tmp_path), "--write")
    assert (status, "left out: not a link: " in output, "1 had ended" in output) == (3, True, True), output
    answer = client.get(f"/file/{name}.mp4")
    assert (answer.content, answer.headers["Content-Type"]) == (content, "video/mp4")


def test_what_is_no_such_system_is_said_in_one_line(stack: StartedStack, tmp_path: Path) -> None:
    assert run(stack, "filecodebox", str(tmp_path)) == (1, f"Failed: there is no filecodebox.db in {tmp_path}\n")
