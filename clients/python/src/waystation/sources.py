"""The sources of content: files, folders as a zip, and what comes by a pipe."""

import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from waystation.errors import SourceChanged, Unusable

BLOCK = 1024 * 1024


class Source(Protocol):
    """Content of a known size under a name, that can be read more than once."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def identity(self) -> str:
        """A text that is the same for the same content in another process, and another one after a change."""
        ...

    def blocks(self, start: int) -> Iterator[bytes]:
        """The content from an offset on. Raises `SourceChanged` if it is no longer what it was."""
        ...


@dataclass(frozen=True, slots=True)
class _Stamp:
    """By what a change of a file is noticed."""

    size: int
    modified: int
    inode: int

    @staticmethod
    def of(found: os.stat_result) -> "_Stamp":
        return _Stamp(found.st_size, found.st_mtime_ns, found.st_ino)


class FileSource:
    """A file on the disk. Raises `Unusable` if it is none, or cannot be read."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path = path.absolute()
        self.name = name or self.path.name
        try:
            found = self.path.stat()
            readable = os.access(self.path, os.R_OK)
        except (OSError, ValueError) as error:
            raise Unusable(f"{path}: {getattr(error, 'strerror', None) or 'not a path'}") from None
        if not stat.S_ISREG(found.st_mode) or not readable:
            raise Unusable(f"{path}: not a file that can be read")
        self._stamp = _Stamp.of(found)

    @property
    def size(self) -> int:
        return self._stamp.size

    @property
    def modified(self) -> float:
        return self._stamp.modified / 1e9

    @property
    def identity(self) -> str:
        return json.dumps([str(self.path), self.name, self.size, self._stamp.modified])

    def blocks(self, start: int) -> Iterator[bytes]:
        at = start
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(start)
                while at < self.size and (block := file.read(min(BLOCK, self.size - at))):
                    # The last block is given only once it is sure that nothing changed meanwhile.
                    at += len(block)
                    if at >= self.size:
                        self._check(file)
                    yield block
                self._check(file)
        except OSError as error:
            raise SourceChanged(f"{self.path}: {error.strerror}") from None
        if at != self.size:
            raise SourceChanged

    def _check(self, file: IO[bytes]) -> None:
        if _Stamp.of(os.fstat(file.fileno())) != self._stamp:
            raise SourceChanged


class _Sink:
    """A file that only takes: what was written to it, until it is taken away."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: bytes) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        content = b"".join(self._blocks)
        self._blocks.clear()
        return content


# The bytes that the parts of a zip take: the header before each file (with the sizes of zip64), the descriptor after
# it, its line in the directory, and the ends of the directory.
_LOCAL, _DESCRIPTOR, _CENTRAL, _END, _END64 = 30 + 20, 24, 46, 22, 56 + 20
_FIELDS_LIMIT, _COUNT_LIMIT = 2**31 - 1, 2**16 - 1


class ZipSource:
    """A folder as a zip that is made while it is sent: stored entries, the same bytes each time, a known size.

    Links are followed to files and not to folders. Raises `Unusable`.
    """

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.folder = folder.absolute()
        self.name = f"{name or self.folder.name or 'folder'}.zip"
        self._files = [
            (str(path.relative_to(self.folder.parent).as_posix()), FileSource(path))
            for path in files_below(self.folder)
        ]
        if not self._files:
            raise Unusable(f"{folder}: no files in it")
        self.size = self._planned()

    @property
    def identity(self) -> str:
        contents = json.dumps([[name, file.identity] for name, file in self._files])
        digest = hashlib.sha256(contents.encode(errors="surrogatepass")).hexdigest()
        return json.dumps(["zip", str(self.folder), self.name, self.size, digest])

    def blocks(self, start: int) -> Iterator[bytes]:
        at = 0
        for block in self._content():
            if at + len(block) > start:
                yield block[max(0, start - at) :]
            at += len(block)
        if at != self.size:
            raise SourceChanged

    def _content(self) -> Iterator[bytes]:
        sink = _Sink()
        with ZipFile(sink, "w", ZIP_STORED) as archive:  # type: ignore[arg-type]  # it only writes
            for name, file in self._files:
                with archive.open(_entry(name, file), "w", force_zip64=True) as entry:
                    for block in file.blocks(0):
                        entry.write(block)
                        yield sink.taken()
                yield sink.taken()
        yield sink.taken()

    def _planned(self) -> int:
        """The size of the zip, by what zipfile writes to something that it cannot seek in."""
        at, directory = 0, 0
        for name, file in self._files:
            length = len(_entry(name, file).filename.encode())
            fields = 2 * (file.size > _FIELDS_LIMIT) + (at > _FIELDS_LIMIT)
            directory += _CENTRAL + length + (4 + 8 * fields if fields else 0)
            at += _LOCAL + length + file.size + _DESCRIPTOR
        large = len(self._files) > _COUNT_LIMIT or at > _FIELDS_LIMIT or directory > _FIELDS_LIMIT
        return at + directory + _END + (_END64 if large else 0)


def _entry(name: str, file: FileSource) -> ZipInfo:
    # Names that are no Unicode cannot be written; each wrong byte becomes a question mark.
    info = ZipInfo(name.encode(errors="replace").decode(), _dos_time(file.modified))
    info.external_attr = 0o644 << 16
    info.create_system = 3
    return info


def _dos_time(modified: float) -> tuple[int, int, int, int, int, int]:
    year, month, day, hour, minute, second = time.gmtime(max(0.0, modified))[:6]
    if not 1980 <= year <= 2107:
        return (1980, 1, 1, 0, 0, 0)
    return (year, month, day, hour, minute, min(second, 59))


def files_below(folder: Path) -> list[Path]:
    """The files in a folder and its folders, in an order that is always the same. Raises `Unusable`."""

    def unreadable(error: OSError) -> None:
        raise Unusable(f"{error.filename}: {error.strerror}")

    found: list[Path] = []
    for at, folders, names in os.walk(folder, onerror=unreadable):
        folders.sort()
        found += [Path(at, name) for name in sorted(names) if Path(at, name).is_file()]
    return found


@dataclass(slots=True)
class Spooled:
    """The content of a pipe, kept in a temporary file until it is sent: its size must be known, and it may be needed
    again."""

    name: str
    _file: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    size: int = 0

    @staticmethod
    def of(pipe: IO[bytes], name: str) -> "Spooled":
        spooled = Spooled(name)
        shutil.copyfileobj(pipe, spooled._file, BLOCK)
        spooled._file.flush()
        spooled.size = spooled._file.tell()
        return spooled

    @property
    def identity(self) -> str:
        # No other process can go on with it.
        return json.dumps(["pipe", os.getpid(), id(self)])

    def blocks(self, start: int) -> Iterator[bytes]:
        at = start
        while block := os.pread(self._file.fileno(), BLOCK, at):
            yield block
            at += len(block)
