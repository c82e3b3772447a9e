"""The tables of a report in Markdown. `make bench-table` writes them into README.md, and the aims into operate.md."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench import goals, large, rates, rooms
from tests.bench.options import MIB
from tests.bench.peers import copyparty, tus_node
from tests.bench.quantities import (
    cost_per_call,
    cost_per_gib,
    kernel_per_gib,
    latency,
    per_second,
    percentile,
    ratio,
    speed,
)
from tests.bench.systems import FORM, UNSYNCED

ROOT = Path(__file__).parents[2]
README, OPERATE = ROOT / "README.md", ROOT / "docs" / "operate.md"
BEGIN = "<!-- make bench-table writes what follows -->\n"
END = "<!-- the end of what make bench-table writes -->\n"
SHOWN = 0.05
"""The share of the cost from which on a process is named."""

LARGE_HEAD = ("a large file", "MB/s", "compared in the same rounds", "processor seconds per GiB")
LARGE_ROWS = {
    FORM: ("upload by form", large.DISK),
    UNSYNCED: ("upload by form, `STORE_SYNC=0`", tus_node.NAME),
    large.LINK: ("upload by File Uploader's form", large.DISK),
    large.CHUNKS: ("upload in chunks of 5 MiB, four at a time, verified", large.DISK),
    large.CHUNKS_UNSYNCED: ("the same, `STORE_SYNC=0`", tus_node.NAME),
    large.PATCH: ("one `PATCH` of tus, `STORE_SYNC=0`", tus_node.NAME),
    large.PIECES: ("four pieces of tus at once, which become one, `STORE_SYNC=0`", large.PATCH),
    large.COMMAND: ("`waystation send`, `STORE_SYNC=0`", large.CURL),
    large.CURL: ("curl, one `PATCH`, `STORE_SYNC=0`", None),
    large.DOWNLOAD: ("download", large.PEER_DOWNLOAD),
    large.CHECKED: ("download, hashed by the client", None),
    large.ARCHIVE: ("download as a zip file, the first time", large.DOWNLOAD),
    copyparty.NAME: ("copyparty, `PUT`", large.DISK),
    large.PEER_DOWNLOAD: ("copyparty, download", None),
    tus_node.NAME: ("`@tus/server`, one `PATCH`", large.DISK),
    large.DISK: ("`dd conv=fsync`", None),
    large.DISK_UNSYNCED: ("`dd`", None),
}
"""Each path in its order, with its name in the table, and the path that it is compared with."""

FILES_HEAD = (
    "files of 64 KiB",
    "a second, one by one",
    "16 at a time",
    "processor ms each",
    "ms: median, 99 %",
    "beside a large upload",
)
FILES_ROWS = {
    FORM: "upload by form",
    UNSYNCED: "upload by form, `STORE_SYNC=0`",
    copyparty.NAME: "copyparty, `PUT`",
    tus_node.NAME: "`@tus/server`, `POST` and `PATCH`",
}
REQUESTS_HEAD = ("requests by 16 connections", "a second", "processor ms each")
REQUESTS = (rates.METADATA, rates.TEXT, rates.FILE, rates.PEER_FILE, rooms.POST, rooms.READ, rates.LOGIN)
SYSTEM_HEAD = ("the whole system", "")

Row = Sequence[str]


def render(report: Mapping[str, Any]) -> str:
    """The tables of what the report has, below a line that says how it was measured."""
    tables = [
        (LARGE_HEAD, _large(report)),
        (FILES_HEAD, _files(report)),
        (REQUESTS_HEAD, _requests(report)),
        (SYSTEM_HEAD, _system(report)),
    ]
    return caption(report) + "".join("\n" + _table(head, rows) for head, rows in tables if rows)


def _table(head: Row, rows: Sequence[Row]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows])


def caption(report: Mapping[str, Any]) -> str:
    machine, options = report["machine"], report["options"]
    day = datetime.fromisoformat(report["made"])
    return (
        f"Measured on {day.day} {day:%B %Y}: {machine['cores']} cores of {machine['processor']}, "
        f"Python {machine['python']}, files of {options['size'] // MIB} MiB, medians of {options['rounds']} rounds.\n"
    )


def _large(report: Mapping[str, Any]) -> list[Row]:
    size, found = report["options"]["size"], report.get("large", {})
    rows: list[Row] = []
    for path, (name, yardstick) in LARGE_ROWS.items():
        if path in found:
            compared = ""
            if yardstick and yardstick in found:
                compared = f"{ratio(found[path], found[yardstick]):.2f} × {LARGE_ROWS[yardstick][0]}"
            costs = _costs(cost_per_gib(found[path], size), kernel_per_gib(found[path], size))
            rows.append((name, f"{speed(found[path], size):,.0f}", compared, costs))
    return rows


def _costs(costs: Mapping[str, float], kernel: float = 0.0) -> str:
    """The sum, the part of the kernel if it is known, and the processes that matter."""
    total = sum(costs.values())
    if not total:
        return ""
    named = [f"{name} {_rounded(value)}" for name, value in costs.items() if value >= SHOWN * total]
    whole = _rounded(total) + (f" (kernel {_rounded(kernel)})" if kernel else "")
    return whole + (f": {', '.join(named)}" if len(named) > 1 else "")


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _files(report: Mapping[str, Any]) -> list[Row]:
    found, beside = report.get("files", {}), report.get("latency", {})
    rows: list[Row] = []
    for target, name in FILES_ROWS.items():
        many, mixed = found.get(target), beside.get(target)
        if many or mixed:
            rows.append(
                (
                    name,
                    f"{per_second(many['1']):,.0f}" if many else "",
                    f"{per_second(many['16']):,.0f}" if many else "",
                    _costs(cost_per_call(many["16"])) if many else "",
                    _latencies(mixed["alone"]) if mixed else "",
                    _latencies(mixed["beside"]) if mixed else "",
                )
            )
    return rows


def _latencies(bursts: Any) -> str:
    return f"{_rounded(latency(bursts, 0.5))}, {_rounded(latency(bursts, 0.99))}"


def _requests(report: Mapping[str, Any]) -> list[Row]:
    found = {**report.get("requests", {}), **report.get("rooms", {}).get("rates", {})}
    return [
        (name, f"{per_second(found[name]):,.0f}", _costs(cost_per_call(found[name])))
        for name in REQUESTS
        if name in found
    ]


def _system(report: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = []
    starts = report.get("start", {})
    for key, name in (("new folder", "start on a new data folder"), ("again", "start with data")):
        if key in starts:
            spent = sum(starts[key]["processor"].values())
            rows.append((name, f"{starts[key]['seconds']:.1f} s, {spent:.1f} processor seconds"))
    if idle := report.get("idle"):
        taken = idle["taken"]
        share = sum(taken["processor"].values()) / taken["seconds"]
        rows.append(("idle memory (PSS)", f"{sum(idle['mib'].values()):,.0f} MiB: {_memory(idle['mib'])}"))
        rows.append(("idle processor time", f"{share:.1%} of a core"))
    if seen := report.get("administration"):
        times = "; ".join(
            f"{name} {percentile(found, 0.5):.0f}, {percentile(found, 0.99):.0f}"
            for name, found in seen["milliseconds"].items()
        )
        rows.append((f"administration of {seen['shares']:,} shares", f"ms (median, 99 %): {times}"))
    return rows


def _memory(mib: Mapping[str, float]) -> str:
    ordered = sorted(mib.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {value:.0f}" for name, value in ordered)


def write(tables: str, document: Path) -> None:
    """Put tables between the two marks of a document."""
    before, begin, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{document} has no place for the tables: the marks are missing")
    document.write_text(f"{before}{BEGIN}{tables}{END}{after}", encoding="utf-8")


def main() -> None:
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    write(render(report), README)
    write(caption(report) + "\n" + goals.render(report), OPERATE)


if __name__ == "__main__":
    main()
