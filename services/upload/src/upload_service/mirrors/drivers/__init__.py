"""Drivers: how each kind of mirror is spoken to. They know no database.

`open_driver` makes the driver of one mirror. The table in `kinds` says which options each kind takes; `Driver` says
what every driver promises.
"""

from collections.abc import Mapping
from importlib import import_module

from upload_service.mirrors.drivers import options as _options
from upload_service.mirrors.drivers.interface import (
    Driver,
    MirrorDown,
    MirrorError,
    MirrorFull,
    MirrorRefused,
    OptionsInvalid,
    Place,
    ReplicaBrokenOff,
    ReplicaLost,
    ReplicaTooLarge,
    Rules,
    UrlReader,
)
from upload_service.mirrors.drivers.kinds import DESTINATION, KINDS, LOCATION

__all__ = [
    "DESTINATION",
    "KINDS",
    "LOCATION",
    "Driver",
    "MirrorDown",
    "MirrorError",
    "MirrorFull",
    "MirrorRefused",
    "OptionsInvalid",
    "Place",
    "ReplicaBrokenOff",
    "ReplicaLost",
    "ReplicaTooLarge",
    "Rules",
    "UrlReader",
    "check_options",
    "open_driver",
    "secret_names",
]


def open_driver(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    """The driver of a mirror. The mirror is not asked anything yet. Raises `OptionsInvalid`."""
    _options.check(kind, options, rules)
    # OpenDAL and AsyncSSH take tens of MiB of memory, so only processes that speak to such a mirror load them.
    module = import_module(f"{__name__}.{KINDS[kind].module}")
    return module.driver_of(kind, _options.normalised(options), rules)


def check_options(kind: str, options: Mapping[str, str], rules: Rules) -> None:
    """Raise `OptionsInvalid` unless a mirror of this kind can have these options. The mirror is not asked."""
    _options.check(kind, options, rules)


def secret_names(kind: str) -> frozenset[str]:
    """The options of a kind that are never shown again. Raises `OptionsInvalid` for an unknown kind."""
    return _options.kind_of(kind).secret
