"""The limits of S3. Not every server enforces them, so this system does.

Source: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
"""

from dataclasses import dataclass

from common.errors import TooLarge

MIB = 1024 * 1024
GIB = 1024 * MIB
TIB = 1024 * GIB

MIN_PART_SIZE = 5 * MIB
"""Every part but the last is at least this long."""

MAX_PART_SIZE = 5 * GIB
"""A part, or an object written by one PUT, is at most this long."""

MAX_PARTS = 10_000
MAX_OBJECT_SIZE = 5 * TIB


@dataclass(frozen=True, slots=True)
class Limits:
    """The parts that a store accepts. Sizes in bytes."""

    min_part_size: int
    """Every part but the last is at least this long."""
    max_parts: int
    assembled_at_once: int
    """So many parts become one object in the time that a message to a worker takes."""
    takes_direct: bool = False
    """Whether clients can put parts into the store themselves, through the gateway."""


S3_LIMITS = Limits(MIN_PART_SIZE, MAX_PARTS, assembled_at_once=500, takes_direct=True)


class StoreLimit(TooLarge):
    """The object store cannot hold content of this shape."""

    code = "store_limit"


def check_put(size: int) -> None:
    """Raise `StoreLimit` unless an object of `size` bytes can be written by one PUT."""
    if not 0 <= size <= MAX_PART_SIZE:
        raise StoreLimit(f"one PUT carries at most {MAX_PART_SIZE} bytes, not {size}")


def check_part(number: int, size: int) -> None:
    """Raise `StoreLimit` unless a multipart upload may have a part `number` (from 1) of `size` bytes."""
    if not 1 <= number <= MAX_PARTS:
        raise StoreLimit(f"part numbers run from 1 to {MAX_PARTS}, not {number}")
    if not 0 <= size <= MAX_PART_SIZE:
        raise StoreLimit(f"a part is at most {MAX_PART_SIZE} bytes, not {size}")


def check_parts(sizes: list[int]) -> None:
    """Raise `StoreLimit` unless parts of these sizes, in this order, can become one object."""
    if not 1 <= len(sizes) <= MAX_PARTS:
        raise StoreLimit(f"an object has 1 to {MAX_PARTS} parts, not {len(sizes)}")
    if any(size < MIN_PART_SIZE for size in sizes[:-1]):
        raise StoreLimit(f"every part but the last is at least {MIN_PART_SIZE} bytes")
    if sum(sizes) > MAX_OBJECT_SIZE:
        raise StoreLimit(f"an object is at most {MAX_OBJECT_SIZE} bytes")
