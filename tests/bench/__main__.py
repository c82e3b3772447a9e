"""Measures a temporary embedded stack, or a running one, prints the results and writes them to a JSON file.

make bench                                  all measurements
make bench ARGS="--size 64 --rounds 3"      a smaller file and fewer rounds
make bench ARGS="--data ./data"             the running stack with this data folder (lift its limits first)
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.local.stack import RunningStack, running, start
from tests.bench import memory, mirrors, requests, rooms
from tests.bench.paths import Payload, Store, measured

MIB = 1024 * 1024
GIB = 1024 * MIB
LIMITS = {
    "UPLOAD_COUNT": "1000000",
    "UPLOAD_SIZE": str(100 * GIB),
    "FILE_UPLOADER_UPLOADS_PER_MINUTE": "1000000",
    "FILE_UPLOADER_SIZE": str(100 * GIB),
    "GARBAGE_GRACE_SECONDS": "0",
}
# Each path, the path that it is compared with, and the ratio that this system promises.
RATIOS = (
    ("form upload", "direct PUT", 0.6),
    ("link upload", "direct PUT", 0.6),
    ("chunked upload", "direct PUT", 0.5),
    ("download", "direct GET", 0.9),
    # No ratio is promised to a client that discards the bytes. The gateway copies every byte twice more than the store
    # alone; on two cores, which the store and the client already fill, this weighs more than for a client with work.
    ("download, discarded", "direct GET, discarded", None),
)
SIGNED_IN_RATIO = 1.15
"""The largest allowed ratio of the times of a small request with a token and without."""
GROWTH_LIMIT_MIB = 64
IDLE_LIMIT_MIB = 1.2 * 1024
MIRROR_ROUNDS = 3
MIRROR_RATIO = 0.4
"""The promised speed of copying a file to a mirror and verifying it there, relative to a plain copy."""
ROOMS = {"posts": 1800, "reads": 2100, "lost": 0, "percentile_99_ms": 500}


def main() -> int:
    options = _parse()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="waystation-bench-")))
        stack: RunningStack = (
            running(options.data) if options.data else opened.enter_context(start(folder, environment=LIMITS))
        )
        report = _measure(stack, options)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    _print(report)
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure the paths that matter.")
    parser.add_argument(
        "--data", type=Path, help="data folder of a running stack; without it a temporary one is started"
    )
    parser.add_argument("--size", type=int, default=256, help="size of the file that is sent, in MiB (256)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each path is measured (5)")
    parser.add_argument("--memory", type=float, default=4, help="GiB to upload while memory is watched; 0: skip (4)")
    parser.add_argument(
        "--mirror", type=int, default=1024, help="size of the file that is mirrored, in MiB; 0: skip (1024)"
    )
    parser.add_argument("--calls", type=int, default=10_000, help="number of posts to a room, and of reads (10000)")
    parser.add_argument("--listeners", type=int, default=1000, help="number of sockets in one room; 0: skip (1000)")
    parser.add_argument("--listen", type=int, default=30, help="seconds for which they listen (30)")
    parser.add_argument("--json", type=Path, default=Path("bench/results.json"), help="file for the results")
    return parser.parse_args()


def _measure(stack: RunningStack, options: argparse.Namespace) -> dict[str, object]:
    size, rounds, through = options.size * MIB, options.rounds, int(options.memory * GIB)
    time.sleep(5)
    idle = memory.idle(stack)
    small = requests.cost(stack.url, rounds)
    talk = rooms.measure(stack, calls=options.calls, listeners=options.listeners, seconds=options.listen)
    speeds = _speeds(stack, size, rounds)
    report: dict[str, Any] = {
        "size_bytes": size,
        "rounds": rounds,
        "megabytes_per_second": speeds,
        "ratios": {
            f"{path} / {yardstick}": {
                "median": statistics.median(a / b for a, b in zip(speeds[path], speeds[yardstick], strict=True)),
                "promised": promised,
            }
            for path, yardstick, promised in RATIOS
        }
        | {
            "signed-in small request / anonymous": {"median": small.ratio, "promised": SIGNED_IN_RATIO, "at_most": True}
        },
        "rooms": {**talk, "promised": ROOMS},
        "small_request_milliseconds": {"anonymous": small.anonymous, "signed in": small.signed_in},
        "idle_mib": {**idle, "total": sum(idle.values()), "limit": IDLE_LIMIT_MIB},
    }
    if options.mirror:
        mirroring = mirrors.measure(stack, options.mirror * MIB, MIRROR_ROUNDS)
        report["ratios"]["mirrored and proven / plain copy"] = {"median": mirroring.ratio, "promised": MIRROR_RATIO}
        report["mirroring"] = asdict(mirroring)
    if through:
        report["upload_service_growth_mib"] = {
            "form upload": memory.form_growth(stack, through),
            "chunked upload": memory.chunked_growth(stack, through),
            "limit": GROWTH_LIMIT_MIB,
        }
    return report


def _speeds(stack: RunningStack, size: int, rounds: int) -> dict[str, list[float]]:
    """MB/s of each path in each round; the first round only warms up."""
    paths = measured(stack, Store.of(stack), Payload(size))
    found: dict[str, list[float]] = {name: [] for name in paths}
    for round_number in range(rounds + 1):
        for name, prepare in paths.items():
            run = prepare()
            begun = time.perf_counter()
            run()
            seconds = time.perf_counter() - begun
            if round_number:
                found[name].append(size / 1e6 / seconds)
    return found


def _print_rooms(talk: Any) -> None:
    out = sys.stdout.write
    out(f"\n{'rooms, 16 connections':<32}{'a second':>14}{'promised':>16}{'of bare Valkey':>16}\n")
    for name, bare in (("posts", "bare_posts"), ("reads", "bare_reads")):
        out(f"{name:<32}{talk[name]:>14.0f}{ROOMS[name]:>16}{talk[name] / talk[bare]:>16.2f}\n")
    if hearing := talk["hearing"]:
        out(f"\n{hearing['listeners']} listeners, {hearing['messages']} messages: {hearing['lost']} lost, ")
        out(f"delay {hearing['median_ms']:.0f} ms (median), {hearing['percentile_99_ms']:.0f} ms (99 %)\n")


def _print(report: dict[str, object]) -> None:
    out = sys.stdout.write
    speeds = report["megabytes_per_second"]
    assert isinstance(speeds, dict)
    out(f"\n{'path':<32}{'MB/s (median)':>14}{'min':>8}{'max':>8}\n")
    for name, values in speeds.items():
        out(f"{name:<32}{statistics.median(values):>14.0f}{min(values):>8.0f}{max(values):>8.0f}\n")
    ratios = report["ratios"]
    assert isinstance(ratios, dict)
    out(f"\n{'ratio':<44}{'median':>8}{'promised':>16}\n")
    for name, ratio in ratios.items():
        bound = "at most" if ratio.get("at_most") else "at least"
        promised = f"{bound} {ratio['promised']}" if ratio["promised"] else "-"
        out(f"{name:<44}{ratio['median']:>8.2f}{promised:>16}\n")
    _print_rooms(report["rooms"])
    if isinstance(mirroring := report.get("mirroring"), dict):
        out(f"\nwhile files were mirrored the worker grew by {mirroring['growth_mib']:.0f} MiB\n")
    for title, key in (("idle, MiB", "idle_mib"), ("upload service grows by, MiB", "upload_service_growth_mib")):
        if isinstance(values := report.get(key), dict):
            out(f"\n{title}\n")
            for name, value in values.items():
                out(f"  {name:<30}{value:>14.0f}\n")


if __name__ == "__main__":
    sys.exit(main())
