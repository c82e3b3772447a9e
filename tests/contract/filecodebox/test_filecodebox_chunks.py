"""FileCodeBox, section 5: chunked upload."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.contract.filecodebox import wire
from tests.contract.filecodebox.wire import CHUNK, MIB, NAME_HASH, detail, misshaped, refused, sha256, slices
from tests.contract.traces import Traces

SIZE = 1000


def begin(client: httpx.Client, **fields: Any) -> httpx.Response:
    asked = {"file_name": "a.bin", "file_size": 10, "file_hash": NAME_HASH}
    return client.post("/chunk/upload/init/", json=asked | fields)


@pytest.mark.parametrize("path", ["/chunk/upload/init/", "/chunk/upload/init", "/api/chunk/upload/init/"])
@pytest.mark.parametrize("encoding", ["json", "data", "files"])
def test_an_upload_begins_in_any_encoding(client: httpx.Client, path: str, encoding: str) -> None:
    asked: dict[str, Any] = {"file_name": "ä.bin", "file_size": "2500", "chunk_size": "1000"}
    asked["file_hash"] = sha256(f"{path} {encoding}".encode())
    form: Any = {name: (None, value) for name, value in asked.items()} if encoding == "files" else asked
    begun = detail(client.post(path, follow_redirects=True, **{encoding: form}))
    assert re.fullmatch("[0-9a-f]{32}", begun["upload_id"])
    assert begun == {
        "existed": False,
        "upload_id": begun["upload_id"],
        "chunk_size": 1000,
        "total_chunks": 3,
        "uploaded_chunks": [],
    }


@pytest.mark.parametrize(
    ("size", "chunk_size", "count"), [(1, 10, 1), (10, 10, 1), (11, 10, 2), (CHUNK + 1, None, 2), (CHUNK, None, 1)]
)
def test_chunks_are_counted_rounding_up(client: httpx.Client, size: int, chunk_size: int | None, count: int) -> None:
    chosen = {} if chunk_size is None else {"chunk_size": chunk_size}
    begun = detail(begin(client, file_size=size, **chosen))
    assert (begun["chunk_size"], begun["total_chunks"]) == (chunk_size or CHUNK, count)


def test_the_requested_chunk_size_is_kept(client: httpx.Client) -> None:
    for chunk_size in (1, 7, 4096, CHUNK - 1, CHUNK, 99 * MIB):
        asked = {"file_name": "same", "file_size": 9000, "file_hash": NAME_HASH, "chunk_size": chunk_size}
        assert detail(begin(client, **asked))["chunk_size"] == chunk_size


def test_every_step_of_an_upload(client: httpx.Client) -> None:
    body = wire.content(2500)
    chunks = slices(body, SIZE)
    upload_id = wire.init(client, body, "steps.bin", SIZE)
    assert detail(client.get(f"/chunk/upload/status/{upload_id}")) == {
        "upload_id": upload_id,
        "file_name": "steps.bin",
        "file_size": 2500,
        "chunk_size": SIZE,
        "total_chunks": 3,
        "uploaded_chunks": [],
        "progress": 0.0,
    }
    for index in (2, 0):
        assert detail(wire.send_chunk(client, upload_id, index, chunks[index])) == {"chunk_hash": sha256(chunks[index])}
    status = detail(client.get(f"/chunk/upload/status/{upload_id}"))
    assert status["uploaded_chunks"] == [0, 2]
    assert 66 < status["progress"] < 67
    refused(wire.complete(client, upload_id), 400, "Incomplete chunks")
    wire.send_chunk(client, upload_id, 1, chunks[1])
    assert detail(client.get(f"/chunk/upload/status/{upload_id}"))["progress"] == 100
    shared = detail(wire.complete(client, upload_id, 7))
    assert shared == {"code": shared["code"], "name": "steps.bin"}
    assert wire.fetch(client, shared["code"]) == body


def test_a_repeated_chunk_is_skipped_and_not_rewritten(client: httpx.Client) -> None:
    body = wire.content(2 * SIZE)
    first, second = slices(body, SIZE)
    upload_id = wire.init(client, body, chunk_size=SIZE)
    detail(wire.send_chunk(client, upload_id, 0, first))
    again = detail(wire.send_chunk(client, upload_id, 0, wire.content(SIZE)))
    assert again == {"chunk_hash": sha256(first), "skipped": True}
    detail(wire.send_chunk(client, upload_id, 1, second))
    assert wire.fetch(client, detail(wire.complete(client, upload_id))["code"]) == body


def test_beginning_again_resumes_the_upload_of_the_same_file_only(client: httpx.Client) -> None:
    body = wire.content(2 * SIZE)
    asked = {"file_name": "r.bin", "file_size": len(body), "chunk_size": SIZE, "file_hash": sha256(body)}
    upload_id = detail(client.post("/chunk/upload/init/", json=asked))["upload_id"]
    wire.send_chunk(client, upload_id, 1, body[SIZE:])
    again = detail(client.post("/chunk/upload/init/", data=asked))
    assert (again["upload_id"], again["uploaded_chunks"]) == (upload_id, [1])
    for other in ({"file_name": "other.bin"}, {"file_size": len(body) + 1}, {"file_hash": sha256(b"other")}):
        begun = detail(client.post("/chunk/upload/init/", json=asked | other))
        assert begun["upload_id"] != upload_id
        assert begun["uploaded_chunks"] == []


def test_a_completed_upload_is_not_resumed(client: httpx.Client) -> None:
    body = wire.content(SIZE)
    first = wire.init(client, body)
    wire.send_chunk(client, first, 0, body)
    wire.complete(client, first)
    assert wire.init(client, body) != first


@pytest.mark.parametrize("encoding", ["json", "data", "files"])
def test_an_upload_is_completed_in_any_encoding(client: httpx.Client, encoding: str) -> None:
    body = wire.content(SIZE)
    upload_id = wire.init(client, body)
    wire.send_chunk(client, upload_id, 0, body)
    asked = {"expire_value": "3", "expire_style": "count"}
    form: Any = {name: (None, value) for name, value in asked.items()} if encoding == "files" else asked
    code = detail(client.post(f"/chunk/upload/complete/{upload_id}", **{encoding: form}))["code"]
    assert wire.metadata(client, code)["remaining_downloads"] == 3


def test_completing_again_answers_the_same_code(client: httpx.Client) -> None:
    body = wire.content(SIZE)
    upload_id = wire.init(client, body)
    wire.send_chunk(client, upload_id, 0, body)
    codes = {detail(wire.complete(client, upload_id))["code"] for _ in range(3)}
    assert len(codes) == 1


def test_completing_twice_at_once_answers_the_same_code(client: httpx.Client) -> None:
    for _ in range(3):
        body = wire.content(3 * SIZE)
        upload_id = wire.init(client, body, chunk_size=SIZE)
        for index, chunk in enumerate(slices(body, SIZE)):
            wire.send_chunk(client, upload_id, index, chunk)
        with ThreadPoolExecutor(4) as completing:
            answers = list(completing.map(lambda asked: wire.complete(client, asked), [upload_id] * 4))
        codes = {detail(answer)["code"] for answer in answers}
        assert len(codes) == 1
        assert wire.fetch(client, codes.pop()) == body


def test_the_same_chunk_by_two_clients_at_once_is_stored_once(client: httpx.Client) -> None:
    body = wire.content(2 * CHUNK)
    upload_id = wire.init(client, body)
    with ThreadPoolExecutor(4) as sending:
        sent = [sending.submit(wire.send_chunk, client, upload_id, i % 2, slices(body, CHUNK)[i % 2]) for i in range(4)]
    answers = [detail(answer.result()) for answer in sent]
    assert [answer["chunk_hash"] for answer in answers] == [sha256(chunk) for chunk in slices(body, CHUNK)] * 2
    assert sum("skipped" in answer for answer in answers) == 2
    assert wire.fetch(client, detail(wire.complete(client, upload_id))["code"]) == body


def test_cancelling_removes_everything(client: httpx.Client, traces: Traces) -> None:
    for chunk_size in (SIZE, CHUNK):
        with traces.nothing_left():
            body = wire.content(CHUNK + 1)
            upload_id = wire.init(client, body[: 2 * SIZE] if chunk_size == SIZE else body, chunk_size=chunk_size)
            detail(wire.send_chunk(client, upload_id, 0, body[:chunk_size]))
            assert detail(client.delete(f"/chunk/upload/{upload_id}")) == {"message": "上传已取消"}
            assert client.delete(f"/chunk/upload/{upload_id}").json() == wire.NO_SESSION
            assert wire.send_chunk(client, upload_id, 1, body[chunk_size:]).json() == wire.NO_SESSION
            assert wire.complete(client, upload_id).json() == wire.NO_SESSION


def test_a_completed_upload_cannot_be_cancelled(client: httpx.Client) -> None:
    body = wire.content(SIZE)
    upload_id = wire.init(client, body)
    wire.send_chunk(client, upload_id, 0, body)
    code = detail(wire.complete(client, upload_id))["code"]
    assert client.delete(f"/chunk/upload/{upload_id}").status_code == 409
    assert wire.fetch(client, code) == body


@pytest.mark.parametrize("upload_id", [wire.UNKNOWN_ID, "x", "0" * 31, "%00", "%F0%9F%98%80", "-1", "g" * 32])
def test_an_unknown_or_malformed_upload_is_not_found(client: httpx.Client, upload_id: str) -> None:
    for answer in (
        wire.send_chunk(client, upload_id, 0, b"x"),
        client.get(f"/chunk/upload/status/{upload_id}"),
        wire.complete(client, upload_id),
        client.delete(f"/chunk/upload/{upload_id}"),
    ):
        refused(answer, 404, "Upload session not found")


def test_an_upload_without_activity_for_a_day_is_not_found(client: httpx.Client, traces: Traces) -> None:
    body = wire.content(2 * SIZE)
    upload_id = wire.init(client, body, chunk_size=SIZE)
    late = "update upload_session set expires_at = now() - interval '1 s' where id::text = %s"
    canonical = traces.ask("upload", "select %s::uuid::text", upload_id)[0][0]
    lives = traces.ask("upload", "select expires_at - now() from upload_session where id::text = %s", canonical)[0][0]
    assert 23.9 * 3600 < lives.total_seconds() <= 24 * 3600
    traces.change("upload", late, canonical)
    refused(wire.send_chunk(client, upload_id, 0, body[:SIZE]), 404, "Upload session not found")
    assert wire.init(client, body, chunk_size=SIZE) != upload_id


def test_a_presigned_upload_has_no_chunks(client: httpx.Client) -> None:
    upload_id = wire.presign(client, 10)["upload_id"]
    refused(wire.send_chunk(client, upload_id, 0, b"0123456789"), 404, "Upload session not found")
    refused(
        client.get(f"/presign/upload/status/{wire.init(client, wire.content(10))}"), 404, "Upload session not found"
    )


@pytest.mark.parametrize("index", ["-1", "3", "1000000000", "999999999"])
def test_a_wrong_chunk_index_is_refused(client: httpx.Client, traces: Traces, index: str) -> None:
    upload_id = wire.init(client, wire.content(3 * SIZE), chunk_size=SIZE)
    with traces.nothing_left():
        answer = client.post(f"/chunk/upload/chunk/{upload_id}/{index}", files={"chunk": ("blob", b"x" * SIZE)})
        refused(answer, 400, "Invalid chunk index")


@pytest.mark.parametrize("index", ["first", "1.0", "0x1", "1e1", "%E0%A5%A7", "--1"])
def test_a_chunk_index_that_is_no_number_is_a_malformed_request(
    client: httpx.Client, traces: Traces, index: str
) -> None:
    upload_id = wire.init(client, wire.content(3 * SIZE), chunk_size=SIZE)
    with traces.nothing_left():
        answer = client.post(f"/chunk/upload/chunk/{upload_id}/{index}", files={"chunk": ("blob", b"x" * SIZE)})
        misshaped(answer, "chunk_index")


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("chunk_size", [SIZE, CHUNK])
def test_a_chunk_that_is_too_long_is_refused(client: httpx.Client, traces: Traces, chunk_size: int, raw: bool) -> None:
    upload_id = wire.init(client, wire.content(2 * chunk_size), chunk_size=chunk_size)
    long = wire.content(chunk_size + 1)
    with traces.nothing_left("object "), traces.nothing_left("part "):
        if raw:
            answer = client.post(f"/chunk/upload/chunk/{upload_id}/0", content=long)
        else:
            answer = wire.send_chunk(client, upload_id, 0, long)
        refused(answer, 400, f"分片大小超过声明值: 最大 {chunk_size}, 实际 {chunk_size + 1}")
    assert detail(client.get(f"/chunk/upload/status/{upload_id}"))["uploaded_chunks"] == []


@pytest.mark.parametrize("size", [0, 1, SIZE - 1])
def test_a_chunk_that_is_too_short_is_refused(client: httpx.Client, traces: Traces, size: int) -> None:
    upload_id = wire.init(client, wire.content(2 * SIZE), chunk_size=SIZE)
    with traces.nothing_left():
        refused(wire.send_chunk(client, upload_id, 0, b"x" * size), 400)
        refused(client.post(f"/chunk/upload/chunk/{upload_id}/0", content=b"x" * size), 400)
    assert detail(client.get(f"/chunk/upload/status/{upload_id}"))["uploaded_chunks"] == []


def test_a_refused_chunk_can_be_sent_again(client: httpx.Client) -> None:
    body = wire.content(2 * CHUNK)
    upload_id = wire.init(client, body)
    first, second = slices(body, CHUNK)
    refused(wire.send_chunk(client, upload_id, 0, first + b"x"), 400)
    refused(wire.send_chunk(client, upload_id, 1, second[:-1]), 400)
    for index, chunk in ((1, second), (0, first)):
        assert detail(wire.send_chunk(client, upload_id, index, chunk)) == {"chunk_hash": sha256(chunk)}
    assert wire.fetch(client, detail(wire.complete(client, upload_id))["code"]) == body


def test_a_form_without_the_chunk_is_a_malformed_request(client: httpx.Client) -> None:
    upload_id = wire.init(client, wire.content(10))
    url = f"/chunk/upload/chunk/{upload_id}/0"
    misshaped(client.post(url, files={"file": ("blob", b"0123456789")}), "chunk")
    misshaped(client.post(url, files={"chunk": (None, "0123456789")}), "chunk")


UNREADABLE = [
    b"",
    b"not JSON",
    b"[]",
    b'"text"',
    b"null",
    b"{",
    b"\xff",
    b"[" * 10_000 + b"]" * 10_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"file_name":"' + b"x" * 10_000_000 + b'"}',
]


@pytest.mark.parametrize("path", ["/chunk/upload/init/", "/presign/upload/init", "complete"])
def test_a_body_that_cannot_be_read_is_refused(client: httpx.Client, traces: Traces, path: str) -> None:
    if path == "complete":
        path = f"/chunk/upload/complete/{wire.init(client, wire.content(10))}"
    with traces.nothing_left():
        for body in UNREADABLE:
            answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
            refused(answer, 400, "请求体格式错误")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"file_size": "many"}, "file_size"),
        ({"file_size": None}, "file_size"),
        ({"file_size": 1.5}, "file_size"),
        ({"file_size": 10**30}, "file_size"),
        ({"chunk_size": "x"}, "chunk_size"),
        ({"file_name": 5}, "file_name"),
        ({"file_name": None}, "file_name"),
        ({"file_hash": None}, "file_hash"),
        ({"file_hash": ["a"]}, "file_hash"),
    ],
)
def test_a_field_of_the_wrong_type_is_a_malformed_request(
    client: httpx.Client, traces: Traces, fields: dict[str, Any], field: str
) -> None:
    with traces.nothing_left():
        misshaped(begin(client, **fields), field)


@pytest.mark.parametrize(
    "fields",
    [{"file_size": -1}, {"chunk_size": 0}, {"chunk_size": -5},
     {"file_size": 10 * 1024**3, "chunk_size": 1}, {"chunk_size": 10**12}],
)  # fmt: skip
def test_invalid_sizes_are_refused(client: httpx.Client, traces: Traces, fields: dict[str, Any]) -> None:
    with traces.nothing_left():
        answer = begin(client, **fields)
        assert 400 <= answer.status_code < 500
        assert set(answer.json()) == {"detail"}


def test_a_file_of_the_exact_limit_may_be_declared(client: httpx.Client) -> None:
    """The limit applies to the size of the file, not to the size of all chunks, of which the last may be shorter."""
    limit = 10 * 1024**3
    begun = detail(begin(client, file_size=limit, chunk_size=CHUNK + 1))
    detail(client.delete(f"/chunk/upload/{begun['upload_id']}"))
    refused(begin(client, file_size=limit + 1), 403, "Size exceeds limit, maximum is 10240.00 MB")


def test_more_chunks_than_a_store_has_parts_can_be_declared(client: httpx.Client) -> None:
    begun = detail(begin(client, file_name="many", file_size=10 * 1024**3, chunk_size=1024**2))
    assert begun["total_chunks"] == 10 * 1024
    chunk = wire.content(1024**2)
    assert detail(wire.send_chunk(client, begun["upload_id"], 10_239, chunk)) == {"chunk_hash": sha256(chunk)}
    detail(client.delete(f"/chunk/upload/{begun['upload_id']}"))


def test_hundreds_of_tiny_chunks_become_one_file(client: httpx.Client) -> None:
    body = wire.content(300)
    upload_id = wire.init(client, body, chunk_size=1)
    with ThreadPoolExecutor(8) as sending:
        jobs = [sending.submit(wire.send_chunk, client, upload_id, at, body[at : at + 1]) for at in range(300)]
    assert all(detail(job.result())["chunk_hash"] for job in jobs)
    assert wire.fetch(client, detail(wire.complete(client, upload_id))["code"]) == body


@pytest.mark.parametrize("file_hash", [sha256(b""), NAME_HASH])
def test_an_empty_file_has_no_chunks(client: httpx.Client, file_hash: str) -> None:
    begun = detail(begin(client, file_name="empty", file_size=0, file_hash=file_hash))
    assert (begun["total_chunks"], begun["uploaded_chunks"]) == (0, [])
    refused(wire.send_chunk(client, begun["upload_id"], 0, b""), 400, "Invalid chunk index")
    answer = wire.download(client, detail(wire.complete(client, begun["upload_id"]))["code"])
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "0"
