"""The meaning of an HTTP status for a mirror: the one classification for all drivers that speak HTTP."""

from datetime import timedelta

from common.statuses import is_temporary
from upload_service.mirrors.drivers.interface import (
    MirrorDown,
    MirrorError,
    MirrorFull,
    MirrorRefused,
    ReplicaLost,
    ReplicaTooLarge,
)


def error_of(status: int, retry_after: timedelta | None = None) -> MirrorError:
    """The error that a status other than success means. 404 and 410 mean that the replica is lost.

    `retry_after`: the pause that the answer asks for, if it names one.
    """
    if status in (404, 410):
        return ReplicaLost()
    if status == 413:
        return ReplicaTooLarge()
    if status == 507:
        return MirrorFull()
    if is_temporary(status):
        return MirrorDown(f"the mirror answered {status}", retry_after=retry_after)
    return MirrorRefused(f"the mirror answered {status}")
