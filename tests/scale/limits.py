"""`make limits`: what a burst of uploads, or a store of a given size, take on a given place, and what ends first.

    make limits ARGS="--cores 16 --network 10 --disk 2000 --uploads 10000 --size 100"

Everything that is sent passes some stations, each of which does so much a second. What a station needs for all of it is
its cost divided by its capacity, and the slowest station decides. The costs are those that docs/operate.md lists, which
`make bench` and `make scale` measure on two cores; an option takes a newer one.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass

MIB, GIB, TB = 2**20, 2**30, 10**12


@dataclass(frozen=True, slots=True)
class Costs:
    form: float = 4.54
    """Processor seconds of all programs for one GiB that is uploaded by form."""
    small: float = 0.02
    """The same for one small upload, beside its bytes: 100 a second on two cores."""
    database_share: float = 0.5
    """The part of these that PostgreSQL takes."""
    row_bytes: float = 1800
    """Bytes of the databases for a file with its share."""


@dataclass(frozen=True, slots=True)
class Place:
    """One machine, or several that do the same together."""

    cores: float
    network: float
    """Gbit/s to clients."""
    disk: float
    """MB/s that the store writes, synced."""


def seconds_of(uploads: int, size: float, place: Place, costs: Costs) -> dict[str, float]:
    """The seconds that each station needs for so many uploads of so many bytes that begin at one moment."""
    total, commits = uploads * size, uploads * costs.small
    return {
        "network": total * 8 / (place.network * 1e9),
        "disk of the store": total / (place.disk * 1e6),
        "processors": (commits + total / GIB * costs.form) / place.cores,
        "of these, PostgreSQL": commits * costs.database_share / place.cores,
    }


def slowest(seconds: Mapping[str, float]) -> str:
    """The station that decides when the last upload is done."""
    return max(seconds, key=lambda station: seconds[station])


def stored(terabytes: float, size: float, place: Place, costs: Costs) -> dict[str, float]:
    """What a store of so many TB in files of so many bytes needs beside itself."""
    files = terabytes * TB / size
    databases = files * costs.row_bytes / 1e9
    return {
        "million files": files / 1e6,
        "GB of databases": databases,
        # Of each index the inner pages, and of codes and ids all.
        "GB of memory for them": databases / 4,
        "days of a first backup": terabytes * TB / (place.disk * 1e6) / 86400,
        "days to fill it": terabytes * TB / size * max(seconds_of(1, size, place, costs).values()) / 86400,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="make limits", description="What a place carries, by the measured costs.")
    given = {"cores": 2.0, "network": 1.0, "disk": 300.0, "size": 1.0, "terabytes": 1000.0, "file": 10.0}
    for name, default in (given | {"form": Costs().form, "small": Costs().small}).items():
        parser.add_argument(f"--{name}", type=float, default=default, help=f"({default:g})")
    parser.add_argument("--uploads", type=int, default=10_000, help="that begin at one moment (10000)")
    asked = parser.parse_args()
    place, costs = Place(asked.cores, asked.network, asked.disk), Costs(asked.form, asked.small)
    found = seconds_of(asked.uploads, asked.size * MIB, place, costs)
    print(f"{asked.uploads} uploads of {asked.size:g} MiB at once, {place.cores:g} cores, {place.network:g} Gbit/s:")
    for station, seconds in found.items():
        print(f"  {station:24}{seconds:10.1f} s{'   decides' if station == slowest(found) else ''}")
    print(f"{asked.terabytes:g} TB in files of {asked.file:g} MB:")
    for what, number in stored(asked.terabytes, asked.file * 1e6, place, costs).items():
        print(f"  {what:24}{number:10.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
