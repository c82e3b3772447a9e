"""The context of the archives slice: everything that its use cases work with."""

from dataclasses import dataclass, field

from upload_service.archives.running import Running
from upload_service.fetches import context as fetches


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(fetches.Context):
    """The contexts of the slices below, and what archives add."""

    checksums: Running = field(default_factory=Running)
    """The checksums that are being computed in this process."""
