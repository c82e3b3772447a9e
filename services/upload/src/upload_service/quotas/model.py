"""What is counted for whom."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Most:
    """Limits of bytes and of files; None: none."""

    bytes: int | None
    files: int | None


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of an account, of guests, or of the place."""

    bytes: int
    """Of its files."""
    files: int
    """Its files, and the uploads that are under way."""
    reserved_bytes: int
    """What is reserved for these uploads."""
    limits: Most
    has_own_limits: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """A row of sums. `bytes` and `files` include what is reserved."""

    owner: UUID
    bytes: int
    files: int
    reserved_bytes: int
    has_own_limits: bool
    most_bytes: int | None
    most_files: int | None

    def usage(self, usual: Most) -> Usage:
        """The use, with the `usual` limits unless there are own ones."""
        limits = Most(self.most_bytes, self.most_files) if self.has_own_limits else usual
        return Usage(self.bytes - self.reserved_bytes, self.files, self.reserved_bytes, limits, self.has_own_limits)
