"""The arithmetic of `make limits`."""

import pytest

from tests.scale.limits import GIB, MIB, Costs, Place, seconds_of, slowest, stored

COSTS = Costs(form=4.0, small=0.02, database_share=0.5, row_bytes=1800)


@pytest.mark.parametrize(
    ("uploads", "size", "place", "decides"),
    [
        (10_000, MIB, Place(cores=2, network=1, disk=300), "processors"),
        (10_000, 100 * MIB, Place(cores=2, network=1, disk=300), "network"),
        (10_000, 100 * MIB, Place(cores=16, network=100, disk=300), "disk of the store"),
    ],
)
def test_the_slowest_station_decides(uploads: int, size: int, place: Place, decides: str) -> None:
    assert slowest(seconds_of(uploads, size, place, COSTS)) == decides


def test_each_station_takes_its_cost_by_its_capacity() -> None:
    found = seconds_of(1000, GIB, Place(cores=4, network=8, disk=1024**3 / 1e6), COSTS)
    assert found["network"] == pytest.approx(GIB / 1e6)
    assert found["disk of the store"] == pytest.approx(1000)
    assert found["processors"] == pytest.approx(1000 + 5)
    assert found["of these, PostgreSQL"] == pytest.approx(2.5)


def test_a_petabyte_in_files_of_ten_megabytes() -> None:
    found = stored(1000, 1e7, Place(cores=2, network=1, disk=1000), COSTS)
    assert (found["million files"], found["GB of databases"], found["GB of memory for them"]) == (100, 180, 45)
    assert found["days of a first backup"] == pytest.approx(11.6, abs=0.1)
