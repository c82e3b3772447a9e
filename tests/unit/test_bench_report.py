"""The report of `make bench`: its tables in README.md, its figures, its goals. Nothing is measured here."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.bench import goals, measuring, on_s3, options, quantities, rates, rooms, table
from tests.bench.systems import FORM
from tests.bench.wire import RequestFailed

CORE = ("upload by form", "download", rates.METADATA, rooms.POST, "idle memory (PSS)", "start with data")
"""Rows that README.md always has, whatever could be installed where it was measured."""


def taken(seconds: float, **processor: float) -> dict[str, Any]:
    return {"seconds": seconds, "processor": processor}


def bursts() -> list[dict[str, Any]]:
    return [{"calls": 100, "taken": taken(0.5, upload=0.2, gateway=0.1), "milliseconds": [1.0, 2.0, 9.0]}] * 2


def whole_report() -> dict[str, Any]:
    """A report of everything that can be measured."""
    return {
        "made": "2026-11-30T01:02:03+00:00",
        "machine": {"cores": 2, "processor": "a processor", "python": "3.11.7"},
        "options": {"size": 256 * options.MIB, "rounds": 2},
        "large": {name: [taken(1.0, upload=2.0), taken(2.0, upload=4.0)] for name in table.LARGE_ROWS},
        "s3": {name: [taken(1.0), taken(2.0)] for name in on_s3.EVERY},
        "files": {name: {"1": bursts(), "16": bursts()} for name in table.FILES_ROWS},
        "latency": {name: {"alone": bursts(), "beside": bursts()} for name in table.FILES_ROWS},
        "requests": {name: bursts() for name in table.REQUESTS},
        "rooms": {
            "rates": {rooms.POST: bursts(), rooms.READ: bursts()},
            "deliveries": {"lost": 0, "percentile_99_ms": 100},
        },
        "crowd": {
            "accounts": 100,
            "frames": 400,
            "joins": 10,
            "joining": taken(1.0, chat=0.03),
            "percentile_99_ms": 200,
        },
        "start": {"new folder": taken(12.0, upload=4.0), "again": taken(11.0, upload=4.0)},
        "idle": {"mib": {"upload": 80.0, "gateway": 40.0}, "taken": taken(10.0, upload=0.5)},
        "tokens": {"anonymous": [2.0, 2.0], "signed_in": [2.2, 2.2]},
        "growth_mib": {"form": 10.0, "chunks": 20.0},
        "mirrors": {"plain": [1.0], "mirrored": [2.0], "growth_mib": 10.0},
        "administration": {"shares": 1_000_000, "milliseconds": {"list": [4.0], "dashboard": [500.0]}},
        "skipped": {},
    }


def rows(markdown: str) -> list[tuple[str, ...]]:
    """The cells of all rows of tables."""
    lines = re.findall(r"^\|(.*)\|$", markdown, re.MULTILINE)
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines]


def written(document: Path) -> str:
    """What `make bench-table` wrote into a document."""
    text = document.read_text(encoding="utf-8")
    assert text.count(table.BEGIN) == text.count(table.END) == 1
    return text.partition(table.BEGIN)[2].partition(table.END)[0]


def heads(found: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [above for above, below in pairwise(found) if set("".join(below)) == {"-"}]


def test_the_kernels_part_stands_beside_the_processor_time_of_a_large_file() -> None:
    report = whole_report()
    report["large"][FORM] = [{**taken(1.0, upload=0.5, gateway=0.25), "kernel": 0.25}] * 2
    costs = [row[-1] for row in rows(table.render(report)) if row[0] == "upload by form"]
    assert costs[0] == "3.0 (kernel 1.0): upload 2.0, gateway 1.0"


def test_the_tables_of_the_readme_have_the_shape_of_the_report() -> None:
    shown = rows(written(table.README))
    possible = rows(table.render(whole_report()))
    assert heads(shown) == heads(possible)
    names = iter(row[0] for row in possible)
    assert all(row[0] in names for row in shown), "a row that no report has, or another order"
    assert set(CORE) <= {row[0] for row in shown}


def test_the_aims_in_the_documentation_are_those_of_the_benchmark() -> None:
    shown = rows(written(table.OPERATE))
    possible = rows(goals.render(whole_report()))
    aims = {(name, aim) for name, _, aim, _ in possible}
    assert heads(shown) == heads(possible)
    assert {(name, aim) for name, _, aim, _ in shown} <= aims
    assert len(shown) > len(possible) / 2


def test_writing_the_tables_changes_nothing_else_in_the_document(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text(f"before\n{table.BEGIN}old\n{table.END}after\n", encoding="utf-8")
    table.write("newer\n", document)
    table.write("newest\n", document)
    assert document.read_text(encoding="utf-8") == f"before\n{table.BEGIN}newest\n{table.END}after\n"


def test_a_document_without_the_marks_stays_as_it_is(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text("no marks\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="marks"):
        table.write("new\n", document)
    assert document.read_text(encoding="utf-8") == "no marks\n"


def test_a_report_of_one_part_has_only_its_table_and_its_goals() -> None:
    report = {key: whole_report()[key] for key in ("made", "machine", "options", "idle")}
    assert [row[0] for row in rows(table.render(report))] == [
        table.SYSTEM_HEAD[0],
        "---",
        "idle memory (PSS)",
        "idle processor time",
    ]
    assert [row[0] for row in rows(goals.render(report))] == [goals.HEAD[0], "---", "idle memory, MiB"]


def test_a_part_that_fails_leaves_the_others_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise RequestFailed("GET /: 503")

    report = measuring.Report(options.parse([]))
    report.add("rooms", fail)
    report.add("mirrors", lambda: {"plain": [1.0]})
    assert report.failed == {"rooms": "RequestFailed: GET /: 503"}
    assert report.found["mirrors"] == {"plain": [1.0]}
    assert "GET /: 503" in capsys.readouterr().err


def test_every_goal_is_compared_with_a_whole_report_and_a_missed_one_is_marked() -> None:
    found = {row[0]: row[1:] for row in rows(goals.render(whole_report()))[2:]}
    assert len(found) == len(goals.GOALS)
    assert found["processor seconds per GiB: upload by form"] == ("12", "at most 3.6", "missed")
    assert found["idle memory, MiB"] == ("120", "at most 550", "")


def test_a_ratio_is_the_median_of_the_ratios_in_the_same_rounds() -> None:
    path = [taken(2.0), taken(10.0), taken(3.0)]
    yardstick = [taken(1.0), taken(9.0), taken(3.0)]
    assert quantities.ratio(path, yardstick) == pytest.approx(0.9)
    assert quantities.speed(path, 6_000_000) == pytest.approx(2.0)


def test_costs_are_those_of_all_rounds_by_process_and_the_greatest_comes_first() -> None:
    found = quantities.cost_per_gib([taken(1, gateway=0.5, upload=1.0), taken(1, upload=2.0)], options.GIB // 2)
    assert list(found.items()) == [("upload", 3.0), ("gateway", 0.5)]
    assert quantities.cost_per_call(bursts()) == pytest.approx({"upload": 2.0, "gateway": 1.0})


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert quantities.percentile(values, 0.5) == 51
    assert quantities.percentile(values, 0.99) == 100
    assert quantities.percentile([7.0], 0.99) == 7


def test_only_known_parts_are_measured() -> None:
    assert options.parse(["--only", "form,download"]).parts == {"form", "download"}
    assert options.parse([]).parts == set(options.PARTS)
    with pytest.raises(SystemExit):
        options.parse(["--only", "form,nothing"])


def test_a_quick_run_is_small_and_still_has_all_parts() -> None:
    quick = options.parse(["--quick"])
    assert quick.parts == set(options.PARTS)
    assert quick.size == 16 * options.MIB


def test_the_first_table_names_this_system_before_its_peers() -> None:
    assert next(iter(table.LARGE_ROWS)) == next(iter(table.FILES_ROWS)) == FORM
