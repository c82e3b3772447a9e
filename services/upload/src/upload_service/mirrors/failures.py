"""The consequences of a failure for a replica: its state, its count of failures, and the time of the next attempt."""

from datetime import timedelta

from common.errors import DomainError
from common.store import StoreUnavailable
from upload_service.mirrors.drivers import (
    MirrorDown,
    MirrorFull,
    MirrorRefused,
    ReplicaBrokenOff,
    ReplicaLost,
    ReplicaTooLarge,
)
from upload_service.mirrors.model import FAILED_AFTER, LONGEST_BREAK, Mirror, Replica, ReplicaState, wait_after

LOST_AFTER = 3
"""After this many failures a replica that cannot be read back counts as lost, if its mirror is well otherwise."""

ABOUT_THE_REPLICA = (ReplicaBrokenOff, ReplicaLost, ReplicaTooLarge)
"""Errors of a mirror that concern one replica only and say nothing of the mirror."""
# Errors that say nothing of a replica, however often they happen.
_ABOUT_THE_MIRROR = (MirrorDown, MirrorFull)


class ReplicaDamaged(DomainError):
    """The mirror returns other content than it was given."""

    code = "replica_damaged"


class SourceDamaged(DomainError):
    """The object store does not have the content as it was verified."""

    code = "source_damaged"


def after_failure(
    replica: Replica, mirror: Mirror, error: DomainError, *, has_begun: bool
) -> tuple[ReplicaState, int, timedelta]:
    """The replica's next state, its failures in a row with this one, and the wait until the next attempt.

    `has_begun`: some of the content had reached the mirror.
    """
    if isinstance(error, StoreUnavailable) and not has_begun:
        # This says nothing of the replica, so it does not count.
        return _state_after(replica, mirror, error, replica.attempts), replica.attempts, wait_after(1)
    attempts = FAILED_AFTER if isinstance(error, ReplicaTooLarge) else replica.attempts + 1
    if isinstance(error, _ABOUT_THE_MIRROR) and not isinstance(error, ABOUT_THE_REPLICA):
        attempts = min(attempts, FAILED_AFTER - 1)
    wait = max(wait_after(attempts), pause_asked(error) or timedelta(0))
    return _state_after(replica, mirror, error, attempts), attempts, wait


def pause_asked(error: DomainError) -> timedelta | None:
    """The time for which a mirror asks to be left alone, within bounds; None if it does not."""
    asked = error.retry_after if isinstance(error, MirrorDown) else None
    return min(asked, LONGEST_BREAK) if asked else None


def _state_after(replica: Replica, mirror: Mirror, error: DomainError, attempts: int) -> ReplicaState:
    if replica.state is ReplicaState.COPYING:
        return ReplicaState.FAILED if attempts >= FAILED_AFTER else ReplicaState.QUEUED
    if replica.state is ReplicaState.VERIFIED:
        # Some stores refuse to return what they do not have, or announce more than they have. A store that refuses
        # everything fails its probes too.
        is_unreadable = isinstance(error, (MirrorRefused, ReplicaBrokenOff))
        is_lost = is_unreadable and attempts >= LOST_AFTER and not mirror.probe_error
        return ReplicaState.QUEUED if is_lost else replica.state
    return replica.state
