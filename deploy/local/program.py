"""What is to run: a description, without any process behind it."""

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
    """Where it runs."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """All of its environment."""
    port: int | None = None
    """What it listens on, on 127.0.0.1 unless `host` says otherwise."""
    host: str = "127.0.0.1"
    ready: Probe | None = None
    """Asked until it says yes; without one, a program that runs is ready."""
    stop_signal: int = signal.SIGTERM
    grace: float = 10.0
    """Seconds between that signal and the end by force."""
    orphan_signal: int = signal.SIGKILL
    """What the kernel sends it when the supervisor dies."""
    identity: Identity = OURSELVES
    noise: str | None = None
    """A regular expression for lines of its log that say nothing to anybody."""


@dataclass(frozen=True, slots=True)
class Task:
    """A program that ends by itself before what follows it may start."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    seconds: float = 120.0


Stage = Sequence[Program] | Sequence[Task]
"""What starts together. A stage is ready when all of it is; then the next begins."""
