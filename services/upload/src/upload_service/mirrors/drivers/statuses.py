"""The meaning of an HTTP status for a mirror: the one classification for all drivers that speak HTTP."""

from upload_service.mirrors.drivers.interface import (
    MirrorDown,
    MirrorError,
    MirrorFull,
    MirrorRefused,
    ReplicaLost,
    ReplicaTooLarge,
)

# A later request may get another answer.
_TEMPORARY = (408, 421, 425, 429)


def error_of(status: int) -> MirrorError:
    """The error that a status other than success means. 404 and 410 mean that the replica is lost."""
    if status in (404, 410):
        return ReplicaLost()
    if status == 413:
        return ReplicaTooLarge()
    if status == 507:
        return MirrorFull()
    if status >= 500 or status in _TEMPORARY:
        return MirrorDown(f"the mirror answered {status}")
    return MirrorRefused(f"the mirror answered {status}")
