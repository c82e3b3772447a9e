"""FileCodeBox: bodies that are cut off, malformed, lying or hostile. Each gets a 4xx and leaves nothing behind."""

import re
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.contract.filecodebox import wire
from tests.contract.filecodebox.wire import CHUNK, MIB, detail, misshaped, refused
from tests.contract.traces import Traces

FORM = "multipart/form-data; boundary=x"
EMOJI = "😀" * 1024


def part(header: str | bytes, body: bytes = b"0123456789") -> bytes:
    """A form with one part, whose `Content-Disposition` ends with `header`."""
    encoded = header if isinstance(header, bytes) else header.encode()
    return b"--x\r\nContent-Disposition: form-data; " + encoded + b"\r\n\r\n" + body + b"\r\n--x--\r\n"


def named(name: str | bytes) -> bytes:
    encoded = name if isinstance(name, bytes) else name.encode()
    return part(b'name="file"; filename="' + encoded + b'"')


def post_form(client: httpx.Client, body: bytes, kind: str = FORM) -> httpx.Response:
    return client.post("/share/file/", content=body, headers={"Content-Type": kind})


# --- bodies that are shorter or longer than announced


def send_raw(
    client: httpx.Client, path: str, body: bytes, *headers: str, method: str = "POST", end: bool = True
) -> bytes:
    """Send a request unchanged, and with `end` close the sending side. Returns the raw answer, which may be empty."""
    host, port = client.base_url.host, client.base_url.port
    assert port
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", f"Content-Type: {FORM}", *headers, "", ""]
    with socket.create_connection((host, port), timeout=30) as connection:
        connection.sendall("\r\n".join(head).encode() + body)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


CUT_OFF = (None, 400, 499, 503)
"""Possible statuses when the client breaks a request off; it does not read the answer, so any of them will do."""


def answered(answer: bytes) -> int | None:
    """The status of a raw answer; None if the connection was closed without an answer."""
    return int(answer.split()[1]) if answer else None


@pytest.mark.parametrize("size", [100, 6 * MIB])
@pytest.mark.parametrize("way", ["form", "proxy", "chunk", "raw chunk"])
def test_a_body_cut_off_in_the_middle_leaves_nothing(client: httpx.Client, traces: Traces, way: str, size: int) -> None:
    form, method = named("cut.bin").replace(b"0123456789", wire.content(size)), "POST"
    if way == "form":
        path = "/share/file/"
    elif way == "proxy":
        path, method = wire.presign(client, size)["upload_url"], "PUT"
    else:
        path = f"/chunk/upload/chunk/{wire.init(client, bytes(2 * size), chunk_size=size, file_hash=wire.NAME_HASH)}/0"
        form = form.replace(b'"file"', b'"chunk"') if way == "chunk" else wire.content(size)
    raw = ["Content-Type: application/octet-stream"] if way == "raw chunk" else []
    with traces.nothing_left():
        length = f"Content-Length: {len(form)}"
        answer = send_raw(client, path, form[: size // 2], length, *raw, method=method)
        assert answered(answer) in CUT_OFF, answer


def test_a_chunked_body_cut_off_leaves_nothing(client: httpx.Client, traces: Traces) -> None:
    with traces.nothing_left():
        body = named("cut.bin")[:-5]
        framed = b"%x\r\n" % len(body) + body + b"\r\n"
        answer = send_raw(client, "/share/file/", framed, "Transfer-Encoding: chunked")
        assert answered(answer) in CUT_OFF, answer


def test_a_length_that_is_too_small_cuts_the_form_off(client: httpx.Client, traces: Traces) -> None:
    form = named("short.bin")
    with traces.nothing_left():
        answer = send_raw(client, "/share/file/", form, f"Content-Length: {len(form) - 20}", end=False)
        assert answered(answer) == 400


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: -1"],
        ["Content-Length: many"],
        ["Content-Length: 10", "Content-Length: 11"],
        ["Content-Length: 99999999999999999999999"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ],
)
def test_a_length_that_makes_no_sense_is_refused(client: httpx.Client, traces: Traces, headers: list[str]) -> None:
    with traces.nothing_left():
        status = answered(send_raw(client, "/share/file/", named("a.bin"), *headers))
        assert status is None or 400 <= status < 500 or status == 501


def test_bodies_without_a_length_are_accepted(client: httpx.Client) -> None:
    body = wire.content(6 * MIB)
    form = named("unknown.bin").replace(b"0123456789", body)
    pieces: Iterable[bytes] = (form[start : start + 100_000] for start in range(0, len(form), 100_000))
    code = detail(client.post("/share/file/", content=pieces, headers={"Content-Type": FORM}))["code"]
    assert wire.fetch(client, code) == body
    upload_id = wire.init(client, body[:CHUNK])
    detail(client.post(f"/chunk/upload/chunk/{upload_id}/0", content=iter([body[:CHUNK]])))
    assert wire.fetch(client, detail(wire.complete(client, upload_id))["code"]) == body[:CHUNK]


@pytest.mark.parametrize("more", [1, MIB])
def test_a_chunk_longer_than_planned_is_refused(client: httpx.Client, traces: Traces, more: int) -> None:
    upload_id = wire.init(client, wire.content(2000), chunk_size=1000)
    with traces.nothing_left():
        longer = iter([bytes(1000), bytes(more)])
        refused(client.post(f"/chunk/upload/chunk/{upload_id}/0", content=longer), 400)


# --- malformed forms


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"--x\r\nno header"),
        (FORM, b"no boundary at all"),
        (FORM, b"--y\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\na\r\n--y--\r\n"),
        (FORM, named("a.bin")[:-6]),
        (FORM, part('name="file"; filename="a"').replace(b"form-data", b"attachment")),
        (FORM, b"--x\r\n\r\nno disposition\r\n--x--\r\n"),
        (FORM, part('name="file"; filename="a"\r\nX: ' + "y" * 20_000)),
        (FORM, part('name="file"; filename="a"' + "\r\nX: y" * 100)),
        (FORM, named(b"\xff\xfe.bin")),
        (FORM, part('name="any"', b"1" * 10_000_000)),
        (FORM, part('name="any"', b"\xff")),
        (FORM, (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n') * 10_000 + b"--x--\r\n"),
        ("multipart/form-data", named("a.bin")),
        ("multipart/form-data; boundary=", named("a.bin")),
        ("multipart/form-data; boundary=" + "x" * 5000, named("a.bin")),
        ('multipart/form-data; boundary="\\x01 \t"', named("a.bin")),
        ("multipart/mixed; boundary=x", named("a.bin")),
        ("application/json", b'{"file": "a"}'),
        ("text/plain", b"a"),
    ],
)  # fmt: skip
def test_a_malformed_form_is_refused(client: httpx.Client, traces: Traces, kind: str, body: bytes) -> None:
    url = wire.presign(client, 10)["upload_url"]
    with traces.nothing_left():
        for answer in (post_form(client, body, kind), client.put(url, content=body, headers={"Content-Type": kind})):
            assert 400 <= answer.status_code < 500, answer.text
            assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize("name", ["", "a\0b.bin", "x" * 8193], ids=["empty", "NUL", "long"])
def test_a_name_in_a_form_that_the_database_cannot_store_is_refused(
    client: httpx.Client, traces: Traces, name: str
) -> None:
    with traces.nothing_left():
        refused(post_form(client, named(name)), 400)


def test_a_chunk_in_a_malformed_form_is_refused(client: httpx.Client, traces: Traces) -> None:
    upload_id = wire.init(client, wire.content(10))
    with traces.nothing_left():
        for kind, body in (
            (FORM, b"--x\r\nno header"),
            (FORM, part('name="chunk"; filename="blob"')[:-6]),
            ("multipart/form-data", b"0123456789"),
            ("multipart/form-data; boundary=" + "x" * 5000, b"0123456789"),
        ):
            headers = {"Content-Type": kind}
            answer = client.post(f"/chunk/upload/chunk/{upload_id}/0", content=body, headers=headers)
            assert 400 <= answer.status_code < 500, answer.text


def test_the_fields_after_the_file_are_limited(client: httpx.Client, traces: Traces) -> None:
    with traces.nothing_left():
        for field in ("expire_value", "another"):
            parts = [("file", ("a.bin", wire.content(6 * MIB))), (field, (None, "1" * 10_000_000))]
            answer = client.post("/share/file/", files=parts)
            assert 400 <= answer.status_code < 500, answer.text


def test_only_one_file_is_accepted_and_those_of_other_fields_are_skipped(client: httpx.Client, traces: Traces) -> None:
    parts = [("file", ("first.txt", b"first")), ("other", ("x", b"other")), ("file", ("second.txt", b"second"))]
    with traces.nothing_left():
        refused(client.post("/share/file/", files=parts), 400, "Only one file can be uploaded at a time")
    shared = detail(client.post("/share/file/", files=parts[:2]))
    assert shared["name"] == "first.txt"
    assert wire.fetch(client, shared["code"]) == b"first"


@pytest.mark.parametrize("path", ["/share/select/", "/share/metadata/", "/share/text/"])
def test_deeply_nested_json_is_refused(client: httpx.Client, traces: Traces, path: str) -> None:
    with traces.nothing_left():
        for body in (b"[" * 10_000 + b"]" * 10_000, b'{"code":' * 10_000, b'{"code":"' + b"A" * 10_000_000 + b'"}'):
            answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert 400 <= answer.status_code < 500, answer.text
            assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize(
    "code", ["A" * 100_000, "' or 1=1 --", "\0" * 5, "ＡＢＣＤＥ", "../..", "%s%s%", "AB\nDE", "12345.0"]
)
def test_a_hostile_code_is_treated_as_an_unknown_one(client: httpx.Client, code: str) -> None:
    assert client.post("/share/select/", json={"code": code}).json() == wire.UNKNOWN
    if len(code) < 1000:
        assert client.get("/share/select/", params={"code": code}).json() == wire.UNKNOWN


# --- names


CLEANED = {
    "../../../../etc/passwd": "passwd", "..": "unnamed", "/etc/passwd": "passwd", "a/b/c.txt": "c.txt", ".": "unnamed",
    "C:\\Windows\\system32\\a.dll": "a.dll", "a\r\nSet-Cookie: a=b\r\n\r\nbody": "a  Set-Cookie: a=b    body",
    "a\tb": "a b", " ": "unnamed", "\x7f\x01": "unnamed", "n" * 8192: "n" * 255,
    "n" * 5000 + ".tar.gz": "n" * 252 + ".gz", "../../a.txt": "a.txt", "n" * 8000: "n" * 255, EMOJI: "😀" * 63,
}  # fmt: skip
"""The cleaning of names that contain more than a name."""
NAMES = [
    *CLEANED, "‮gpj.exe", "a\u200fb\u202d.txt", "a\"b'c.txt", "a;filename=b.txt", "<img src=x>.html",
    "con.txt", "%2e%2e%2f", "%00", "e\u0301.txt", "Text",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:12]))
def test_a_hostile_name_is_only_data(client: httpx.Client, name: str) -> None:
    """Any name is returned cleaned, and it never adds a header to the one that carries it."""
    kept = CLEANED.get(name, name)
    body = wire.content(500)
    shared = [
        detail(wire.share_in_chunks(client, body, name)),
        detail(wire.put_file(client, wire.presign(client, len(body), name)["upload_url"], body)),
    ]
    for share in shared:
        assert share["name"] == kept
        found = wire.select(client, share["code"])
        assert (found["name"], found["type"], found["is_text"]) == (kept, "file", False)
        answer = client.get(found["download_url"])
        assert answer.content == body
        assert "set-cookie" not in answer.headers
        disposition = answer.headers["content-disposition"]
        assert re.fullmatch(r"""attachment; filename="[^"\\/]*"; filename\*=UTF-8''[!-~]+""", disposition)
        assert len(disposition) < 1000
        if len(kept.encode()) <= 255:
            assert disposition.endswith(f"; filename*=UTF-8''{quote(kept, safe='')}")


@pytest.mark.parametrize("name", ["../../a.txt", EMOJI, "‮gpj.exe", "报告.pdf", "a'b.txt", "/etc/passwd", "n" * 8000])
def test_a_hostile_name_in_a_form_is_only_data(client: httpx.Client, name: str) -> None:
    shared = detail(post_form(client, named(name)))
    kept = CLEANED.get(name, name)
    assert shared["name"] == kept
    assert wire.metadata(client, shared["code"])["name"] == kept
    assert wire.fetch(client, shared["code"]) == b"0123456789"


def test_a_quoted_name_is_read_as_browsers_and_curl_escape_it(client: httpx.Client) -> None:
    for sent in (named('a \\"b\\".txt'), named("a %22b%22.txt")):
        assert detail(post_form(client, sent))["name"] == 'a "b".txt'


def test_a_line_break_in_a_forms_name_adds_no_header(client: httpx.Client, traces: Traces) -> None:
    with traces.nothing_left():
        answer = post_form(client, named("a\r\nContent-Type: text/html\r\n\r\n<b>"))
        assert 400 <= answer.status_code < 500
    answer = wire.download(client, detail(post_form(client, named("a%0D%0ASet-Cookie: b")))["code"])
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "name", ["", "a\0b", "x" * 8193, "😀" * 2049, b'"\\ud800"'], ids=["empty", "NUL", "long", "long emoji", "surrogate"]
)
@pytest.mark.parametrize("path", ["/chunk/upload/init/", "/presign/upload/init"])
def test_a_name_that_the_database_cannot_store_is_refused(
    client: httpx.Client, traces: Traces, path: str, name: str | bytes
) -> None:
    asked: dict[str, Any] = {"file_name": name, "file_size": 10, "file_hash": wire.NAME_HASH}
    with traces.nothing_left():
        if isinstance(name, bytes):
            raw = b'{"file_name":' + name + b',"file_size":10,"file_hash":"' + wire.NAME_HASH.encode() + b'"}'
            refused(client.post(path, content=raw), 400)
        else:
            refused(client.post(path, json=asked), 400)


# --- texts


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/x-www-form-urlencoded", b"text=a%00b", 400),
        ("application/x-www-form-urlencoded", b"text=%ff", 400),
        ("application/x-www-form-urlencoded", b"text=a" + b"&x=y" * 10_000, 400),
        (FORM, part('name="text"', b"\xff"), 400),
        (FORM, part('name="text"', b"a")[:-6], 400),
        (FORM, b"--x--\r\n", 422),
        ("application/json", b'{"text": 5}', 422),
        ("application/json", b'{"text": "\\u0000"}', 400),
    ],
)
def test_a_text_that_cannot_be_stored_is_refused(
    client: httpx.Client, traces: Traces, kind: str, body: bytes, status: int
) -> None:
    with traces.nothing_left():
        answer = client.post("/share/text/", content=body, headers={"Content-Type": kind})
        if status == 422:
            misshaped(answer, "text")
        else:
            refused(answer, status)


def test_an_empty_file_by_form(client: httpx.Client) -> None:
    answer = wire.download(client, wire.share_file(client, b"", "empty.bin"))
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


def test_many_bad_uploads_at_once_leave_nothing_and_block_no_others(client: httpx.Client, traces: Traces) -> None:
    form = named("cut.bin").replace(b"0123456789", wire.content(MIB))
    with traces.nothing_left(), ThreadPoolExecutor(8) as sending:
        jobs = [
            sending.submit(send_raw, client, "/share/file/", form[: MIB // 2], f"Content-Length: {len(form)}")
            for _ in range(16)
        ]
        assert all(answered(job.result()) in CUT_OFF for job in jobs)
    assert wire.fetch(client, wire.share_file(client, b"still here")) == b"still here"
