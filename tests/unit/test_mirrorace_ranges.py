"""The offsets of MirrorAce's chunks, as its three clients really send them, also after lost answers and requests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from common.dialects.mirrorace import Refused
from tests.contract.mirrorace.clients import Sent, dot_net_chunks, mirror_up_chunks, php_chunks
from tests.examples import examples
from upload_service.dialects.mirrorace.ranges import ContentRange, offset_of


@dataclass
class Server:
    """Places chunks in memory in the same way as the service."""

    files: list[bytes] = field(default_factory=list[bytes])
    parts: list[bytes] = field(default_factory=list[bytes])
    is_finished: bool = False

    def receive(self, header: str, payload: bytes) -> str:
        asked = ContentRange.parse(header)
        if self.is_finished and not payload:
            assert asked.start == asked.total == len(self.files[-1])
            return "complete"
        if self.is_finished and asked.start:
            index = self._boundaries().index(offset_of(asked, self._boundaries()))
            assert self.parts[index] == payload
            return "complete"
        if self.is_finished:
            self.parts, self.is_finished = [], False
        if payload:
            self._write(offset_of(asked, self._boundaries()), payload)
        stored = sum(map(len, self.parts))
        assert stored <= asked.total
        if stored < asked.total:
            return "continue"
        self.is_finished = True
        self.files.append(b"".join(self.parts))
        return "complete"

    def _boundaries(self) -> list[int]:
        return [sum(map(len, self.parts[:index])) for index in range(len(self.parts) + 1)]

    def _write(self, at: int, payload: bytes) -> None:
        kept = zip(self.parts, self._boundaries(), strict=False)
        self.parts = [cut for part, start in kept if (cut := part[: max(0, at - start)])]
        self.parts.append(payload)


@given(
    client=st.sampled_from([php_chunks, mirror_up_chunks, dot_net_chunks]),
    limit=st.integers(2, 13),
    size=st.integers(1, 119),
    faults=st.lists(st.sampled_from(["", "broken off", "answer lost", "answer lost twice"]), max_size=60),
)
@settings(max_examples=examples(400), deadline=None)
def test_the_file_of_every_client_is_assembled_correctly(
    client: Callable[[bytes, int], Iterator[Sent]], limit: int, size: int, faults: list[str]
) -> None:
    # The library of the .NET client refuses to send the last chunk of such a file.
    assume(client is not dot_net_chunks or size % limit)
    content, server, answer = bytes(range(size)), Server(), ""
    for index, (header, payload) in enumerate(client(content, limit)):
        fault = faults[index] if index < len(faults) else ""
        if client is mirror_up_chunks and index >= limit:
            # From here on the starts are wrong by more than a chunk. No real limit is small enough for that.
            fault = ""
        if fault.startswith("answer lost"):
            server.receive(header, payload)
        if fault == "answer lost twice":
            server.receive(header, payload)
        # A broken request leaves nothing, so the chunk is received once.
        answer = server.receive(header, payload)
    assert answer == "complete"
    assert server.files
    assert set(server.files) == {content}


@pytest.mark.parametrize("limit", [2, 10, 13])
def test_each_client_sends_what_its_table_says(limit: int) -> None:
    content = bytes(21)
    if limit == 10:
        sent = [
            [(header, len(payload)) for header, payload in client(content, 10)]
            for client in (php_chunks, mirror_up_chunks)
        ]
        assert sent[0] == [("bytes 0-10/21", 11), ("bytes 11-20/21", 10), ("bytes 21-20/21", 0)]
        assert sent[1] == [("bytes0-10/21", 10), ("bytes11-20/21", 10), ("bytes21-20/21", 1)]
        starts = [header for header, _ in dot_net_chunks(content, 10)]
        assert starts == ["bytes 0-10/21", "bytes 10-20/21", "bytes 20-21/21"]
    for client in (php_chunks, mirror_up_chunks, dot_net_chunks):
        assert b"".join(payload for _, payload in client(content, limit)) == content


@pytest.mark.parametrize(
    ("header", "boundaries", "at"),
    [
        # Chunks that continue the file, and chunks that begin again.
        ("bytes 0-9/50", [0], 0),
        ("bytes 10-19/50", [0, 10], 10),
        ("bytes 0-9/50", [0, 10, 20], 0),
        ("bytes 10-19/50", [0, 10, 20], 10),
        # Starts that are too high by one for each stored chunk.
        ("bytes11-20/50", [0, 10], 10),
        ("bytes 11-20/50", [0, 10], 10),
        ("bytes33-43/50", [0, 10, 20, 30], 30),
        # Repetitions of such chunks.
        ("bytes11-20/50", [0, 10, 20], 10),
        ("bytes22-31/50", [0, 10, 20, 30], 20),
        ("bytes21-20/21", [0, 10, 20, 21], 20),
        # Other starts are exact: with a space, at a boundary, or if the error does not match the number of chunks.
        ("bytes 11-20/50", [0, 10, 20], 11),
        ("bytes10-19/50", [0, 10, 20], 10),
        ("bytes12-19/50", [0, 10, 20], 12),
        ("bytes1-19/50", [0, 10], 1),
        ("bytes12-20/50", [0, 10, 12, 30], 12),
    ],
)
def test_a_chunk_is_placed(header: str, boundaries: list[int], at: int) -> None:
    assert offset_of(ContentRange.parse(header), boundaries) == at


@pytest.mark.parametrize(
    ("header", "boundaries"), [("bytes 1-9/50", [0]), ("bytes 12-19/50", [0, 10]), ("bytes24-30/50", [0, 10, 20])]
)
def test_a_gap_is_refused(header: str, boundaries: list[int]) -> None:
    with pytest.raises(Refused):
        offset_of(ContentRange.parse(header), boundaries)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes 0-10/21", ContentRange(0, 21)),
        ("bytes0-10/21", ContentRange(0, 21, drifts=True)),
        ("Bytes  5-10/21 ", ContentRange(5, 21)),
        ("bytes 21-20/21", ContentRange(21, 21)),
        ("bytes 0--1/0", ContentRange(0, 0)),
    ],
)
def test_ranges_are_read(header: str, expected: ContentRange) -> None:
    assert ContentRange.parse(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        *("", "bytes", "bytes 0-10", "bytes 0-10/*", "bytes */21", "bytes -1-10/21", "items 0-10/21", "bytes 22-30/21"),
        *("bytes 0-10/21, bytes 11-20/21", "bytes 0-1/1" + "0" * 18, "bytes \u0661-2/3"),
    ],
)
def test_a_malformed_range_is_refused(header: str) -> None:
    with pytest.raises(Refused):
        ContentRange.parse(header)
