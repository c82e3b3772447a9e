"""Mirrors: destinations that an administrator defines, and how each kind is spoken to.

`open_driver` makes the driver of one mirror. Which options a kind takes is a table in `kinds`; what a driver promises
is `Driver`.
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
    "ReplicaLost",
    "ReplicaTooLarge",
    "Rules",
    "UrlReader",
    "check_options",
    "open_driver",
    "secret_names",
]


def open_driver(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    """The driver of a mirror; nothing is asked of it yet. Raises `OptionsInvalid`."""
    _options.check(kind, options, rules)
    # OpenDAL and AsyncSSH take tens of MiB of memory: only processes that speak to such a mirror load them.
    module = import_module(f"{__name__}.{KINDS[kind].module}")
    return module.open_driver(kind, options, rules)


def check_options(kind: str, options: Mapping[str, str], rules: Rules) -> None:
    """Raise `OptionsInvalid` unless a mirror can be made of these; nothing is asked of it."""
    _options.check(kind, options, rules)


def secret_names(kind: str) -> frozenset[str]:
    """The options of a kind that are never shown again. Raises `OptionsInvalid` for a kind that there is not."""
    return _options.kind_of(kind).secret
