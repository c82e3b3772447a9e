"""Files at the bare address, by curl and wget as people use them, on the running system."""

import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

from common import clock
from deploy.local.stack import StartedStack
from tests.contract.conftest import Visitor, client_of
from tests.contract.fileuploader import wire as uploader
from tests.contract.traces import Traces

GUIDE = Path(__file__).parents[3] / "docs" / "use.md"
MIB = 1024 * 1024
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


def run(folder: Path, *command: str) -> str:
    """The output of a program that succeeds. The test is skipped where it is not installed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def sent(text: str) -> tuple[str, str]:
    """The link and the address to delete, of an answer to read."""
    link, empty, code, expires, delete = text.removesuffix("\n").split("\n")
    assert empty == ""
    assert code == f"code      {link.rpartition('/')[2]}"
    assert expires.startswith("expires   ")
    match = re.fullmatch(f"delete    curl -X DELETE ({re.escape(link)}/[0-9a-f-]{{36}})", delete)
    assert match
    return link, match[1]


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    """A form of parts: the name, the file name if it is a file, and the content."""
    named = [(name, f'; filename="{file}"' if file is not None else "", content) for name, file, content in parts]
    return (
        b"".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
            for name, file, content in named
        )
        + b"--x--\r\n"
    )


def test_the_examples_of_the_guide_work(stack: StartedStack, tmp_path: Path) -> None:
    section = GUIDE.read_text(encoding="utf-8").partition("## From a terminal\n")[2].partition("\n## ")[0]
    examples = re.findall(r"^(?:curl|tar|wget) .*$", section.partition("```sh\n")[2].partition("```")[0], re.MULTILINE)
    assert len(examples) >= 5
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(secrets.token_bytes(1000))
    (tmp_path / "report.pdf").write_bytes(content := secrets.token_bytes(2 * MIB))
    (tmp_path / "fetched").mkdir()
    code = key = ""
    for example in examples:
        command = example.partition("  #")[0].replace("HOST", stack.url).replace("CODE", code).replace("KEY", key)
        folder = tmp_path / "fetched" if " -OJ " in command else tmp_path
        output = run(folder, "sh", "-c", command.replace("curl ", "curl -sS ").replace("wget ", "wget -q "))
        if "/c/" not in command:
            link, delete = sent(output)
            code, key = link.rpartition("/")[2], delete.rpartition("/")[2]
    assert {path.read_bytes() for path in (tmp_path / "fetched").iterdir()} == {content}
    assert httpx.get(f"{stack.url}/c/{code}").status_code == 410


def test_a_terminal_is_told_how_to_send(client: httpx.Client, stack: StartedStack, tmp_path: Path) -> None:
    for output in (run(tmp_path, "curl", "-sS", stack.url), run(tmp_path, "wget", "-qO-", stack.url)):
        assert f"curl -T FILE {stack.url}/" in output
        assert "Anybody may send." in output
        options = [line for line in output.splitlines() if line.strip().startswith("-")]
        assert len({line.rindex("  ") for line in options}) == 1, "explanations stand in one column"
    answer = client.head("/", headers={"User-Agent": "curl/8.0"})
    assert (answer.status_code, answer.headers["Vary"].split(",")[0]) == (200, "User-Agent")
    # The older pages of FileCodeBox ask the same address for their configuration.
    assert client.post("/").json()["code"] == 200


@pytest.mark.parametrize("name", ["a b.txt", "报告 2024.pdf", "#1?&.bin", "100%.txt", "-", "..."])
def test_a_file_keeps_its_name(stack: StartedStack, client: httpx.Client, tmp_path: Path, name: str) -> None:
    (tmp_path / "sent").write_bytes(content := secrets.token_bytes(100))
    link, _ = sent(run(tmp_path, "curl", "-sS", "--path-as-is", "-T", "sent", f"{stack.url}/{quote(name)}"))
    answer = client.get(link)
    kept = "unnamed" if not name.strip(". ") else name
    assert answer.content == content
    assert answer.headers["Content-Disposition"].endswith(f"filename*=UTF-8''{quote(kept, safe='')}")
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_an_empty_file_and_one_of_unknown_length(client: httpx.Client) -> None:
    for content in (b"", secrets.token_bytes(300_000)):
        answer = client.put("/", content=iter([content]))
        assert answer.status_code == 201
        link, _ = sent(answer.text)
        assert answer.headers["Location"] == answer.headers["Waystation-Url"] == link
        found = client.get(link)
        assert (found.content, "unnamed" in found.headers["Content-Disposition"]) == (content, True)


@pytest.mark.parametrize(
    ("headers", "life", "uses"),
    [
        ({}, timedelta(days=1), None),
        ({"Expire-After": "90m"}, timedelta(minutes=90), None),
        ({"Expire-After": "2D"}, timedelta(days=2), None),
        ({"Max-Days": "3"}, timedelta(days=3), None),
        ({"Expire-After": "never"}, None, None),
        ({"Max-Downloads": "2"}, timedelta(days=1), 2),
        ({"Max-Downloads": "1", "Expire-After": "1h"}, timedelta(hours=1), 1),
    ],
    ids=str,
)
def test_headers_say_when_a_share_ends(
    client: httpx.Client, headers: dict[str, str], life: timedelta | None, uses: int | None
) -> None:
    fields = {name.lower().replace("-", "_"): value for name, value in headers.items()}
    ways = [client.put("/a.txt", content=b"1", headers=headers)]
    if "Max-Days" not in headers:
        files = {"file": ("a.txt", b"1")}
        ways.append(client.post("/", data=fields, files=files))
        ways.append(client.post("/", files=files, headers=headers))
    for answer in ways:
        facts = client.get(f"/share/metadata/?code={answer.headers['Waystation-Code']}").json()["detail"]
        ends = facts["expires_at"]
        until = datetime.fromisoformat(ends) if ends else None
        assert (until is None) == (life is None)
        if until and life:
            until = until if until.tzinfo else until.replace(tzinfo=UTC)
            assert abs(until - clock.now() - life) < timedelta(minutes=2)
        assert facts["expired_count"] == (uses or -1)


def test_a_counted_file_with_a_password(client: httpx.Client, stack: StartedStack, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"content")
    headers = ("-H", "Max-Downloads: 1", "-H", "X-Share-Password: пароль")
    link, _ = sent(run(tmp_path, "curl", "-sS", *headers, "-T", "a.txt", f"{stack.url}/"))
    missing = client.get(link)
    assert (missing.status_code, missing.text) == (401, "A password is needed.\n")
    assert missing.headers["WWW-Authenticate"].startswith("Basic")
    assert client.get(link, auth=("", "wrong")).status_code == 401
    assert run(tmp_path, "curl", "-sS", "-u", ":пароль", link) == "content"
    ended = client.get(link, auth=("", "пароль"))
    assert (ended.status_code, ended.headers["Content-Type"]) == (410, "text/plain; charset=utf-8")


def test_a_text_is_shown(client: httpx.Client) -> None:
    asked = {"text": "你好", "expire_style": "count", "expire_value": "1"}
    link = f"/c/{client.post('/share/text/', data=asked).json()['detail']['code']}"
    head = client.head(link)
    assert (head.status_code, head.headers.get("Repr-Digest")) == (200, None)
    assert client.get(link).text == "你好"
    assert client.get(link).status_code == 410


def test_only_the_key_deletes(client: httpx.Client) -> None:
    link, delete = sent(client.put("/a.txt", content=b"1").text)
    for wrong in (f"{link}/{'0' * 36}", f"{link}/%00", f"{link.rpartition('/')[0]}/AAAAA/{delete.rpartition('/')[2]}"):
        answer = client.delete(wrong)
        assert (answer.status_code, answer.text) == (404, "No share has this code.\n")
    assert client.get(delete).status_code == 405
    assert client.get(link).status_code == 200
    assert (client.delete(delete).text, client.get(link).status_code) == ("Deleted.\n", 410)
    assert client.delete(delete).status_code == 410


def test_a_file_of_an_account(client: httpx.Client, stack: StartedStack, traces: Traces) -> None:
    with client_of(stack, **uploader.bearer(uploader.register(client))) as owner:
        answer = owner.put("/mine.txt", content=b"1")
        assert [file["id"] for file in owner.get("/v1/files").json()["files"]] == [answer.headers["Waystation-File"]]
        with traces.nothing_left():
            assert client.put("/a", content=b"1", headers={"Authorization": "Bearer nonsense"}).status_code == 401


BAD: list[tuple[str, str, Mapping[str, str], bytes, int, str]] = [
    ("PUT", "/a", {"Expire-After": "soon"}, b"1", 400, "such as 12h"),
    ("PUT", "/a", {"Expire-After": "0d"}, b"1", 400, "does not limit"),
    ("PUT", "/a", {"Expire-After": "999999999d"}, b"1", 403, "longer than allowed"),
    ("PUT", "/a", {"Expire-After": "1d", "Max-Days": "1"}, b"1", 400, "say the same"),
    ("PUT", "/a", {"Max-Downloads": "0"}, b"1", 400, "does not limit"),
    ("PUT", "/a", {"Max-Downloads": "many"}, b"1", 400, "a number"),
    ("PUT", "/a", {"X-Share-Password": ""}, b"1", 400, "1 to 1024"),
    ("PUT", "/a", {"Content-Range": "bytes 1-1/2"}, b"1", 400, "sent whole"),
    ("PUT", "/" + "a" * 9000, {}, b"1", 400, "file name"),
    ("PUT", "/%00", {}, b"1", 400, "file name"),
    ("POST", "/", FORM, form(("expires", None, b"1h"), ("file", "a", b"1")), 400, "expire_after"),
    ("POST", "/", FORM, form(("file", None, b"1")), 400, "-F file=@FILE"),
    ("POST", "/", FORM, form(("file", "", b"")), 400, "-F file=@FILE"),
    ("POST", "/", FORM, form(("file", "a", b"1"), ("file", "b", b"1")), 400, "Only one file"),
    ("POST", "/", FORM, form(("file", "a", b"1"), ("max_downloads", None, b"x")), 400, "a number"),
    ("POST", "/", FORM, form(("file", "a", b"1"))[:-10], 400, "form"),
]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "text"),
    BAD,
    ids=[f"{bad[-1]} {number}" for number, bad in enumerate(BAD)],
)
def test_bad_input_is_explained_and_leaves_nothing(
    client: httpx.Client,
    traces: Traces,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    status: int,
    text: str,
) -> None:
    with traces.nothing_left():
        answer = client.request(method, path, headers=dict(headers), content=body)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/plain; charset=utf-8"), (
            answer.text
        )
        assert text in answer.text
        assert re.fullmatch(r"[^\n]+\n", answer.text)


@pytest.mark.parametrize("path", ["/health", "/files", "/api", "/robots.txt", "/internal", "/a/b", "/a%2Fb"])
def test_addresses_of_the_system_are_no_names(client: httpx.Client, traces: Traces, path: str) -> None:
    with traces.nothing_left():
        assert client.put(path, content=b"1").status_code in (400, 404, 405)


def test_what_the_policy_forbids_is_refused_before_the_body(visitor: Visitor) -> None:
    sender = visitor()
    for path, status, text in (("/a.exe", 403, "type"), ("/a.txt", 413, "at most 1048576 bytes")):
        answer = sender.put(path, content=bytes(MIB + 1), headers={"Expect": "100-continue"})
        assert (answer.status_code, text in answer.text) == (status, True), answer.text
    for _ in range(3):
        assert sender.put("/a.txt", content=b"1").status_code == 201
    limited = sender.put("/a.txt", content=b"1")
    assert (limited.status_code, "Retry-After" in limited.headers) == (429, True)


def test_a_body_that_breaks_off_leaves_nothing(stack: StartedStack, traces: Traces) -> None:
    at = urlsplit(stack.url)
    assert at.hostname
    assert at.port
    for expecting in ("", "Expect: 100-continue\r\n"):
        with traces.nothing_left(), socket.create_connection((at.hostname, at.port), timeout=20) as connection:
            head = f"PUT /a.bin HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Length: {8 * MIB}\r\n{expecting}\r\n"
            connection.sendall(head.encode())
            if expecting:
                assert connection.recv(25).startswith(b"HTTP/1.1 100 ")
            connection.sendall(secrets.token_bytes(6 * MIB))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
