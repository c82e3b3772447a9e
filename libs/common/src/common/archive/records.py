"""The records of the zip format (APPNOTE.TXT 6.3.10), for entries that are stored and whose CRC-32 is known.

Sizes and offsets that do not fit 32 bits are in zip64 fields, which other entries do without: some programs that unpack
archives know none.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

LIMIT_16, LIMIT_32 = 0xFFFF, 0xFFFFFFFF
"""The values that stand for another one in a zip64 field."""
UTF8 = 1 << 11
STORED = 0
VERSION, VERSION_64 = 20, 45
MADE_BY_UNIX = 3 << 8
PLAIN_FILE = 0o100644 << 16
TIMESTAMP, ZIP64 = 0x5455, 0x0001

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END_64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR_64 = struct.Struct("<4sIQI")
_END = struct.Struct("<4sHHHHIIH")
_EXTRA = struct.Struct("<HH")
_MODIFIED = struct.Struct("<HHBi")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry and its place. Sizes and offsets in bytes."""

    name: bytes
    """UTF-8."""
    size: int
    offset: int
    """Of its header in the archive."""

    @property
    def is_large(self) -> bool:
        return self.size >= LIMIT_32

    @property
    def is_far(self) -> bool:
        return self.offset >= LIMIT_32

    @property
    def header_length(self) -> int:
        """The length of what stands before the content."""
        return _LOCAL.size + len(self.name) + _MODIFIED.size + (_EXTRA.size + 16 if self.is_large else 0)

    @property
    def record_length(self) -> int:
        """The length of its record in the central directory."""
        wide = 16 * self.is_large + 8 * self.is_far
        return _CENTRAL.size + len(self.name) + _MODIFIED.size + (_EXTRA.size + wide if wide else 0)

    def header(self, crc: int, modified: datetime) -> bytes:
        """The record before the content."""
        size = min(self.size, LIMIT_32)
        extra = _modified(modified) + (_wide(self.size, self.size) if self.is_large else b"")
        version = VERSION_64 if self.is_large else VERSION
        time, date = dos_time(modified)
        fixed = (version, UTF8, STORED, time, date, crc, size, size, len(self.name), len(extra))
        return _LOCAL.pack(b"PK\3\4", *fixed) + self.name + extra

    def record(self, crc: int, modified: datetime) -> bytes:
        """Its record in the central directory."""
        size, offset = min(self.size, LIMIT_32), min(self.offset, LIMIT_32)
        wide = [self.size, self.size] * self.is_large + [self.offset] * self.is_far
        extra = _modified(modified) + (_wide(*wide) if wide else b"")
        version = VERSION_64 if wide else VERSION
        time, date = dos_time(modified)
        fixed = (MADE_BY_UNIX | VERSION_64, version, UTF8, STORED, time, date, crc, size, size)
        lengths = (len(self.name), len(extra), 0, 0, 0)
        return _CENTRAL.pack(b"PK\1\2", *fixed, *lengths, PLAIN_FILE, offset) + self.name + extra


def end(count: int, directory: int, length: int) -> bytes:
    """The end of an archive of `count` entries, whose central directory begins at `directory`, `length` bytes long."""
    fixed = (min(count, LIMIT_16), min(count, LIMIT_16), min(length, LIMIT_32), min(directory, LIMIT_32))
    ending = _END.pack(b"PK\5\6", 0, 0, *fixed, 0)
    if count < LIMIT_16 and length < LIMIT_32 and directory < LIMIT_32:
        return ending
    rest = _END_64.size - 12
    versions = (MADE_BY_UNIX | VERSION_64, VERSION_64)
    wide = _END_64.pack(b"PK\6\6", rest, *versions, 0, 0, count, count, length, directory)
    return wide + _LOCATOR_64.pack(b"PK\6\7", 0, directory + length, 1) + ending


def dos_time(moment: datetime) -> tuple[int, int]:
    """The time and the date of a moment in UTC, as the format has them: from 1980 to 2107, in steps of two seconds."""
    at = moment.astimezone(UTC)
    if at.year < 1980:
        return 0, 1 << 5 | 1
    if at.year > 2107:
        return 23 << 11 | 59 << 5 | 29, 127 << 9 | 12 << 5 | 31
    return at.hour << 11 | at.minute << 5 | at.second // 2, (at.year - 1980) << 9 | at.month << 5 | at.day


def _modified(moment: datetime) -> bytes:
    """The field that says when a content was modified, whatever the time zone of the reader."""
    seconds = max(0, min(int(moment.timestamp()), 2**31 - 1))
    return _MODIFIED.pack(TIMESTAMP, 5, 1, seconds)


def _wide(*values: int) -> bytes:
    return _EXTRA.pack(ZIP64, 8 * len(values)) + struct.pack(f"<{len(values)}Q", *values)
