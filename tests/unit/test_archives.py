"""Archives, compared with what other programs make of them."""

import hashlib
import io
import os
import shutil
import subprocess
import unicodedata
import zipfile
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.archive import SUMS_NAME, Archive, Member, names, records
from common.names import clean_name
from tests.examples import examples

GIB = 1024**3
MODIFIED = datetime(2026, 11, 30, 8, 30, 42, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
SIMILAR = st.sampled_from(
    ("a", "A", "a (2)", "a.txt", "A.TXT", "a (2).txt", ".txt", "é", "e\u0301", "ß", "SS", "sha256sums", "..")
)
CONTENTS = st.lists(st.tuples(TEXTS | SIMILAR, st.binary(max_size=40)), max_size=8)


def archive_of(contents: list[tuple[str, bytes]]) -> Archive:
    members = [Member(name, len(content), hashlib.sha256(content).digest()) for name, content in contents]
    return Archive(members, MODIFIED)


def made(archive: Archive, contents: list[tuple[str, bytes]], start: int = 0, stop: int | None = None) -> bytes:
    """The bytes of an archive from `start` to `stop`."""
    every = [*(content for _, content in contents), archive.sums]
    found = bytearray()
    for piece in archive.pieces(start, archive.size if stop is None else stop):
        content = every[piece.index]
        found += (
            content[piece.start : piece.stop] if piece.kind == "content" else archive.made(piece, zlib.crc32(content))
        )
    return bytes(found)


@settings(max_examples=examples(60), deadline=None)
@given(contents=CONTENTS)
def test_an_archive_has_its_contents_and_their_digests(contents: list[tuple[str, bytes]]) -> None:
    archive = archive_of(contents)
    whole = made(archive, contents)
    assert len(whole) == archive.size
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == archive.names
        assert [opened.read(name) for name in archive.names] == [*(content for _, content in contents), archive.sums]
        for found in opened.infolist():
            assert found.date_time == (2026, 11, 30, 8, 30, 42)
            assert found.compress_type == zipfile.ZIP_STORED
            assert found.flag_bits == 0x800
        sums = opened.read(SUMS_NAME).decode()
    assert opened.namelist()[-1] == SUMS_NAME
    expected = [
        f"{hashlib.sha256(content).hexdigest()}  {name}"
        for (_, content), name in zip(contents, archive.names, strict=False)
    ]
    assert sums.split("\n")[:-1] == expected


@settings(max_examples=examples(100), deadline=None)
@given(contents=CONTENTS, data=st.data())
def test_any_range_is_what_the_whole_has_there(contents: list[tuple[str, bytes]], data: st.DataObject) -> None:
    archive = archive_of(contents)
    start = data.draw(st.integers(0, archive.size))
    stop = data.draw(st.integers(start, archive.size))
    assert made(archive, contents, start, stop) == made(archive, contents)[start:stop]


@settings(max_examples=examples(100), deadline=None)
@given(sent=st.lists(TEXTS | SIMILAR | st.text(st.sampled_from("aä./"), min_size=250, max_size=300), max_size=30))
def test_names_are_clean_and_different_everywhere(sent: list[str]) -> None:
    found = names.unique_names(sent, [SUMS_NAME])
    assert len({unicodedata.normalize("NFC", name).casefold() for name in [*found, SUMS_NAME]}) == len(sent) + 1
    for name in found:
        assert clean_name(name) == name
        assert not set(name) & set('<>:"|?*/\\')
        assert name == name.rstrip(" .")
    assert names.unique_names(found, [SUMS_NAME]) == found


def test_every_system_can_have_the_names() -> None:
    sent = ["a:b?.txt", "con", "CON.txt", "com1.tar.gz", "console", "nul .x", "a.", "a", "a ", '"<|>*', "x" * 260 + "."]
    assert names.unique_names(sent) == [
        *("a_b_.txt", "con_", "CON_.txt", "com1_.tar.gz", "console", "nul_ .x", "a_", "a", "a_ (2)", "_____"),
        "x" * 254 + "_",
    ]


def test_names_that_are_taken_get_a_number() -> None:
    sent = [
        "a.txt",
        "A.txt",
        "a (2).txt",
        "a.txt",
        "../a.txt",
        "sha256sums",
        "noext",
        "noext",
        ".env",
        ".env",
        "..",
        "x\n.y",
    ]
    assert names.unique_names(sent, [SUMS_NAME]) == [
        *("a.txt", "A (2).txt", "a (2) (2).txt", "a (3).txt", "a (4).txt", "sha256sums (2)", "noext", "noext (2)"),
        *(".env", ".env (2)", "unnamed", "x .y"),
    ]
    assert len({*names.unique_names(["same"] * 100_000)}) == 100_000


class Sparse(io.RawIOBase):
    """An archive of zeros, as a file that is made where it is read."""

    def __init__(self, archive: Archive, crcs: list[int]) -> None:
        self._archive, self._crcs, self._at = archive, crcs, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._archive.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        stop = self._archive.size if size < 0 else min(self._at + size, self._archive.size)
        found = bytearray()
        for piece in self._archive.pieces(self._at, stop):
            if piece.kind != "content":
                found += self._archive.made(piece, self._crcs[piece.index])
            elif piece.index == self._archive.last:
                found += self._archive.sums[piece.start : piece.stop]
            else:
                found += bytes(piece.stop - piece.start)
        self._at = stop
        return bytes(found)


def zeros(*sizes: int) -> tuple[Archive, Sparse]:
    """An archive of members of zeros, whose names are their numbers, and the file that it is."""
    archive = Archive([Member(str(number), size, bytes(32)) for number, size in enumerate(sizes)], MODIFIED)
    return archive, Sparse(archive, [*(number for number, _ in enumerate(sizes)), zlib.crc32(archive.sums)])


@pytest.mark.parametrize(
    "sizes",
    [
        (5 * GIB,),
        (2**32 - 2, 7),
        (2**32 - 1, 7),
        (2**32, 7),
        (3 * GIB, 3 * GIB, 0, 5),
        (5 * 1024 * GIB, 1, 5 * 1024 * GIB),
        (2**32 - 1 - 30 - 1 - 9, 0),
    ],
    ids=str,
)
def test_sizes_and_offsets_beyond_four_gigabytes(sizes: tuple[int, ...]) -> None:
    archive, file = zeros(*sizes)
    with zipfile.ZipFile(file) as opened:
        found = opened.infolist()
        assert [entry.file_size for entry in found[:-1]] == [*sizes]
        assert [entry.CRC for entry in found[:-1]] == [*range(len(sizes))]
        assert opened.read(SUMS_NAME) == archive.sums
        for entry in found:
            with opened.open(entry):
                # It finds the header where the directory says, and the same name in it.
                pass


def made_end(file: Sparse) -> bytes:
    file.seek(-98, os.SEEK_END)
    return file.read()


def test_small_archives_need_no_zip64() -> None:
    archive = archive_of([("a", b"1")])
    assert b"PK\6\6" not in made(archive, [("a", b"1")])
    _, file = zeros(*[0] * (records.LIMIT_16 - 2))
    assert b"PK\6\6" not in made_end(file)
    _, file = zeros(*[0] * (records.LIMIT_16 - 1))
    assert b"PK\6\6" in made_end(file)


def test_a_hundred_thousand_entries_and_ranges_of_them() -> None:
    archive, file = zeros(*[10] * 100_000)
    whole = file.read()
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert len(opened.infolist()) == 100_001
        assert opened.infolist()[99_999].CRC == 99_999
        assert opened.read(SUMS_NAME) == archive.sums
    for start in range(0, archive.size, archive.size // 97):
        file.seek(start)
        assert file.read(1000) == whole[start : start + 1000]


def test_only_the_same_bytes_have_the_same_tag() -> None:
    contents = [("a", b"1"), ("b", b"2")]
    others = [[("a", b"1"), ("b", b"3")], [("b", b"2"), ("a", b"1")], [("a", b"1")], [("a", b"1"), ("c", b"2")], []]
    tags = [archive_of(each).tag for each in [contents, *others]]
    later = Archive([Member("a", 1, hashlib.sha256(b"1").digest())], MODIFIED + timedelta(seconds=2))
    assert len({*tags, later.tag}) == 7
    assert archive_of([*contents]).tag == tags[0]


@pytest.mark.parametrize(
    ("moment", "read"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(2200, 1, 1, tzinfo=UTC), (2107, 12, 31, 23, 59, 58)),
        (datetime(2026, 2, 3, 4, 5, 7, tzinfo=UTC), (2026, 2, 3, 4, 5, 6)),
    ],
)
def test_times_that_the_format_cannot_have_are_the_nearest(moment: datetime, read: tuple[int, ...]) -> None:
    archive = Archive([], moment)
    with zipfile.ZipFile(Sparse(archive, [zlib.crc32(b"")])) as opened:
        assert opened.infolist()[0].date_time == read


@pytest.mark.parametrize(
    "command",
    [("unzip", "-t"), ("7z", "t"), ("7zz", "t"), ("zip", "-T"), ("bsdtar", "-tf")],
    ids=lambda command: command[0],
)
def test_other_programs_find_nothing_wrong(tmp_path: Path, command: tuple[str, ...]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    contents = [("ä ☂.txt", b"1"), ("A.bin", os.urandom(100_000)), ("a.bin", b""), ("-f", b"2")]
    (tmp_path / "a.zip").write_bytes(made(archive_of(contents), contents))
    done = subprocess.run([*command, "a.zip"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_digests_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    if shutil.which("sha256sum") is None:
        pytest.skip("sha256sum is not installed")
    contents = [("ä ☂.txt", b"1"), ("A.bin", os.urandom(1000)), ("a.bin", b""), (" b", b"2"), ("*c", b"3")]
    with zipfile.ZipFile(io.BytesIO(made(archive_of(contents), contents))) as opened:
        opened.extractall(tmp_path)
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", SUMS_NAME], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
