"""The files, folders and pipes that the arguments of a command name."""

import os
import stat
import sys
from pathlib import Path
from typing import IO

from waystation.errors import Unusable
from waystation.sources import FileSource, Source, Spooled, ZipSource, files_below

PIPE = Path("-")


def sources_of(paths: list[Path], several: bool, name: str | None) -> list[Source]:
    """The sources that the arguments stand for. Raises `Unusable`."""
    if not paths:
        if sys.stdin.isatty():
            raise Unusable("What shall be sent? Name files or folders, or use a pipe.")
        paths = [PIPE]
    found: list[Source] = []
    for path in paths:
        if path == PIPE:
            found.append(_piped(sys.stdin.buffer, name))
        elif path.is_dir():
            found += [FileSource(file) for file in files_below(path)] if several else [ZipSource(path)]
        else:
            found.append(FileSource(path))
    if not found:
        raise Unusable("There are no files in this folder.")
    return found


def _piped(pipe: IO[bytes], name: str | None) -> Source:
    """Standard input: a file of the disk that it comes from, or whatever a pipe brings."""
    found = os.fstat(pipe.fileno())
    if stat.S_ISREG(found.st_mode) and pipe.tell() == 0 and Path("/proc/self/fd").is_dir():
        path = Path(f"/proc/self/fd/{pipe.fileno()}").resolve()
        if path.is_file() and path.stat().st_ino == found.st_ino:
            return FileSource(path, name or path.name)
    return Spooled.of(pipe, name or "stdin")
