"""Runs the parts of the benchmark, in an order in which none disturbs the next, and collects the report."""

import json
import os
import platform
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import administration, crowds, large, memory, mirrors, on_s3, rates, rooms, signed_in, small
from tests.bench.options import LARGE, Options
from tests.bench.peers import copyparty, tus_node
from tests.bench.systems import Systems, opened, peers, unsynced
from tests.bench.trees import timed

IDLE_SECONDS = 10
TOKEN_ROUNDS = 3


class Report:
    """The measurements so far, part by part. A part that fails does not take the others with it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.found: dict[str, Any] = _about(options)
        self.failed: dict[str, str] = {}

    def wants(self, *parts: str) -> bool:
        return not self.options.parts.isdisjoint(parts)

    def add(self, key: str, measured: Callable[[], Any]) -> None:
        try:
            self.found[key] = measured()
        except Exception as error:  # noqa: BLE001  (shown here, and the run ends with an error)
            traceback.print_exc()
            self.failed[key] = f"{type(error).__name__}: {error}"


def measure(options: Options) -> dict[str, Any]:
    """Everything that was measured: the raw rounds, and nothing that can be computed of them."""
    report = Report(options)
    with tempfile.TemporaryDirectory(prefix="waystation-bench-") as name, opened(options, Path(name)) as systems:
        report.found["start"] = systems.starts
        _alone(report, systems)
        _beside_peers(report, systems)
        _growing(report, systems)
    return plain({**report.found, "skipped": systems.skipped, "failed": report.failed})


def plain(found: Any) -> Any:
    """The same as JSON holds it."""

    def of(value: Any) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        return str(value)

    return json.loads(json.dumps(found, default=of))


def _about(options: Options) -> dict[str, Any]:
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "processor": _processor(), "python": platform.python_version()},
        "options": {**asdict(options), "parts": sorted(options.parts)},
        "peers": {copyparty.NAME: copyparty.version(), tus_node.NAME: tus_node.version()},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _alone(report: Report, systems: Systems) -> None:
    """While nothing else runs: the idle system, and what compares it with itself."""
    options = report.options
    if report.wants("idle"):
        report.add("idle", lambda: _idle(systems))
    if report.wants("tokens"):
        report.add("tokens", lambda: signed_in.cost(systems.form.url, min(options.rounds, TOKEN_ROUNDS)))
    if report.wants("rooms"):
        report.add("rooms", lambda: rooms.measure(systems, options))
        report.add("crowd", lambda: crowds.measure(systems, options))


def _idle(systems: Systems) -> dict[str, Any]:
    mib = systems.tree.memory()
    with timed(systems.tree) as taken:
        time.sleep(IDLE_SECONDS)
    return {"mib": mib, "taken": taken}


def _beside_peers(report: Report, systems: Systems) -> None:
    options = report.options
    with ExitStack() as closing:
        if report.wants(*LARGE, "files", "latency", "requests"):
            closing.enter_context(peers(systems, options))
        if report.wants(*LARGE, "files", "latency"):
            with unsynced(systems, options):
                _files(report, systems)
        if report.wants("requests"):
            report.add("requests", lambda: rates.measure(systems, options))


def _files(report: Report, systems: Systems) -> None:
    options = report.options
    if report.wants(*LARGE):
        report.add("large", lambda: large.measure(systems, options))
    if report.wants("files"):
        report.add("files", lambda: small.measure(systems, options))
    if report.wants("latency"):
        report.add("latency", lambda: small.beside_a_large_upload(systems, options))


def _growing(report: Report, systems: Systems) -> None:
    stack, options = systems.stack, report.options
    if report.wants("memory"):
        total = options.memory
        report.add(
            "growth_mib",
            lambda: {"form": memory.form_growth(stack, total), "chunks": memory.chunked_growth(stack, total)},
        )
    if report.wants("mirrors") and options.data:
        systems.skipped["mirrors"] = "a running system allows no mirror in the folder of the benchmark"
    elif report.wants("mirrors"):
        report.add("mirrors", lambda: mirrors.measure(systems, options))
    if report.wants("s3"):
        report.add("s3", lambda: on_s3.measure(systems, options))
    if report.wants("administration") and options.data:
        systems.skipped["administration"] = "a running system is not filled with shares"
    elif report.wants("administration"):
        report.add("administration", lambda: administration.measure(systems, options))
