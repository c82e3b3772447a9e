"""Trying a mirror out: the small object that is written where copies go, read back and deleted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from common import logging
from common.claims import UnexpectedFailure
from common.errors import DomainError
from upload_service.mirrors.context import Context
from upload_service.mirrors.drivers import Driver, MirrorDown, MirrorError, OptionsInvalid, Place
from upload_service.mirrors.drivers.unfinished import new_probe
from upload_service.mirrors.failures import ReplicaDamaged
from upload_service.mirrors.model import Mirror
from upload_service.mirrors.sealing import Unsealable

PROBE_SECONDS = 20
CONTENT = b"This is a probe of a mirror, and can be removed.\n"

_log = logging.get(__name__)


class Step(StrEnum):
    """The steps of a probe, in their order."""

    SIGN_IN = "sign_in"
    WRITE = "write"
    READ = "read"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Failure:
    """The first step of a probe that failed, and why."""

    step: Step
    error: str
    message: str


async def try_out(context: Context, mirror: Mirror, *, whole: bool) -> Failure | None:
    """Try a mirror. Unless it is `whole`, this only signs in. Returns the first failure, or None.

    Nothing is written to a mirror that could not delete it. Each probe has a path of its own, so that two at once do
    not disturb each other; a sweep removes what an interrupted one left.
    """
    steps = [Step.SIGN_IN]
    try:
        async with asyncio.timeout(PROBE_SECONDS), context.drivers.of(mirror) as driver:
            await driver.check()
            if whole and driver.can_delete:
                await _round_trip(driver, new_probe(mirror.id), steps)
    except (MirrorError, ReplicaDamaged, OptionsInvalid, Unsealable) as error:
        return _failure(steps[-1], error)
    except TimeoutError:
        return _failure(steps[-1], MirrorDown())
    except Exception:  # noqa: BLE001  (it is logged, with its stack)
        _log.exception("a mirror could not be probed", mirror=mirror.id)
        return _failure(steps[-1], UnexpectedFailure())
    return None


async def _round_trip(driver: Driver, path: str, steps: list[Step]) -> None:
    """Write, read and delete. Each step is added to `steps` when it begins."""
    steps.append(Step.WRITE)
    place = Place(path, await driver.write(path, _content(), len(CONTENT)))
    steps.append(Step.READ)
    try:
        if b"".join([block async for block in driver.read(place)]) != CONTENT:
            raise ReplicaDamaged
    except BaseException:
        # A store that chooses its own URLs would keep one object more after every probe.
        with suppress(MirrorError):
            await driver.delete(place)
        raise
    steps.append(Step.DELETE)
    await driver.delete(place)


async def _content() -> AsyncIterator[bytes]:
    yield CONTENT


def _failure(step: Step, error: DomainError) -> Failure:
    return Failure(step, error.code, error.message)
