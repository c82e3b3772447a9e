"""FileCodeBox, section 5: the three forms of `file_hash`, and content that matches none of them."""

import httpx
import pytest

from tests.contract.filecodebox import wire
from tests.contract.filecodebox.test_filecodebox_clients import sampled
from tests.contract.filecodebox.wire import CHUNK, MIB, NAME_HASH, detail, refused, sha256, slices
from tests.contract.traces import Traces

MISMATCH = "File hash mismatch"


@pytest.fixture(scope="module")
def large() -> bytes:
    return wire.content(2 * CHUNK + 12345)


def test_the_true_hash_is_accepted(client: httpx.Client, large: bytes) -> None:
    assert wire.fetch(client, detail(wire.share_in_chunks(client, large))["code"]) == large


def test_the_sampled_hash_is_accepted(client: httpx.Client, large: bytes) -> None:
    shared = detail(wire.share_in_chunks(client, large, "sampled.bin", file_hash=sampled(large)))
    assert wire.fetch(client, shared["code"]) == large


def test_the_sampled_hash_is_accepted_of_small_chunks_out_of_order(client: httpx.Client) -> None:
    body = wire.content(2 * CHUNK + 1)
    upload_id = wire.init(client, body, chunk_size=MIB, file_hash=sampled(body))
    for index, chunk in reversed(list(enumerate(slices(body, MIB)))):
        detail(wire.send_chunk(client, upload_id, index, chunk))
    assert wire.fetch(client, detail(wire.complete(client, upload_id))["code"]) == body


def test_the_padded_hash_of_an_insecure_page_is_accepted(client: httpx.Client) -> None:
    body = wire.content(5000)
    shared = detail(wire.share_in_chunks(client, body, chunk_size=2000, file_hash=NAME_HASH))
    answer = wire.download(client, shared["code"])
    assert answer.content == body
    assert answer.headers["repr-digest"]


def test_upper_case_is_accepted_and_names_the_same_upload(client: httpx.Client) -> None:
    body = wire.content(5000)
    upload_id = wire.init(client, body, file_hash=sha256(body).upper())
    assert wire.init(client, body) == upload_id
    wire.send_chunk(client, upload_id, 0, body)
    assert wire.fetch(client, detail(wire.complete(client, upload_id))["code"]) == body


@pytest.mark.parametrize("chunk_size", [1500, CHUNK])
def test_content_that_does_not_match_its_hash_is_refused_and_leaves_nothing(
    client: httpx.Client, traces: Traces, chunk_size: int
) -> None:
    body = wire.content(4000)
    with traces.nothing_left():
        upload_id = wire.init(client, body, chunk_size=chunk_size, file_hash=sha256(b"something else"))
        for index, chunk in enumerate(slices(body, chunk_size)):
            detail(wire.send_chunk(client, upload_id, index, chunk))
        refused(wire.complete(client, upload_id), 400, MISMATCH)
        refused(wire.complete(client, upload_id), 400, MISMATCH)
    states = traces.ask("upload", "select count(*) from file where state = 'corrupt' and blob_id is not null")
    assert states == [(0,)]


def test_a_large_file_that_differs_outside_the_sample_is_refused(
    client: httpx.Client, traces: Traces, large: bytes
) -> None:
    """The sampled bytes are right but the middle differs, which only the hash of the whole file detects."""
    other = bytearray(large)
    other[CHUNK + 100] ^= 1
    with traces.nothing_left():
        upload_id = wire.init(client, large, "claimed.bin")
        for index, chunk in enumerate(slices(bytes(other), CHUNK)):
            detail(wire.send_chunk(client, upload_id, index, chunk))
        refused(wire.complete(client, upload_id), 400, MISMATCH)


def test_the_sampled_hash_of_a_small_file_is_refused(client: httpx.Client, traces: Traces) -> None:
    body = wire.content(5000)
    with traces.nothing_left():
        upload_id = wire.init(client, body, file_hash=sampled(body))
        detail(wire.send_chunk(client, upload_id, 0, body))
        refused(wire.complete(client, upload_id), 400, MISMATCH)


def test_after_a_mismatch_the_same_upload_can_begin_again(client: httpx.Client) -> None:
    body = wire.content(4000)
    first = wire.init(client, body)
    wire.send_chunk(client, first, 0, bytes(len(body)))
    refused(wire.complete(client, first), 400, MISMATCH)
    assert wire.fetch(client, detail(wire.share_in_chunks(client, body))["code"]) == body
