"""Descriptions of programs. No process belongs to them yet."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.identity import OURSELVES, Identity
from deploy.local.probes import Probe


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the stack."""

    name: str
    command: Sequence[str]
    folder: Path
    """The working folder."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """The whole environment; nothing is inherited."""
    port: int | None = None
    """The port on which it listens, at the address `host`."""
    host: str = "127.0.0.1"
    ready: Probe | None = None
    """Repeated until it succeeds. Without a probe, a program is ready as soon as it runs."""
    stop_signal: int = signal.SIGTERM
    grace: float = 10.0
    """Seconds between the stop signal and the end by force."""
    orphan_signal: int = signal.SIGKILL
    """The signal that the kernel sends it if the supervisor dies."""
    identity: Identity = OURSELVES
    noise: str | None = None
    """A regular expression for lines of its output that are not logged."""


@dataclass(frozen=True, slots=True)
class Task:
    """A program that has to end by itself before the next stage starts."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    seconds: float = 120.0


Stage = Sequence[Program] | Sequence[Task]
"""Programs or tasks that start together. The next stage begins when all of them are ready."""
