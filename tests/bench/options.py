"""The options of `make bench`."""

import argparse
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
GIB = 1024 * MIB
PARTS = {
    "start": "the start on a new data folder, and again on the same",
    "idle": "the memory and the processor time of the idle system",
    "form": "a large file by form, synced to disk or not, beside the peers and dd",
    "link": "a large file by File Uploader's form",
    "chunks": "a large file in chunks of 5 MiB, four at a time",
    "pieces": "a large file by tus, in one piece and in four at once that become one",
    "s3": "a large file into an S3 server and out of it, beside a PUT, a GET and @tus/server",
    "command": "a large file sent by the command `waystation`, beside curl",
    "download": "a large file fetched, beside copyparty",
    "files": "many files of 64 KiB, one after another and 16 at a time, beside the peers",
    "latency": "small files while a large upload runs, beside the peers",
    "requests": "small requests by 16 connections",
    "tokens": "the cost of recognising the caller",
    "rooms": "posts and reads of a room beside bare Valkey, deliveries to many sockets, and a room of many accounts",
    "memory": "the growth of the upload service during large uploads",
    "mirrors": "a copy to a mirror, with its proof, beside a plain copy",
    "administration": "a list, a search and the sums of a million shares",
}
LARGE = ("form", "link", "chunks", "pieces", "command", "download")
QUICK = {
    "size": 16,
    "rounds": 2,
    "files": 64,
    "seconds": 0.5,
    "memory": 0.25,
    "mirror": 32,
    "calls": 500,
    "listeners": 100,
    "listen": 3,
    "shares": 10_000,
}


@dataclass(frozen=True, slots=True)
class Options:
    """The parts to measure, and for how long."""

    parts: frozenset[str]
    data: Path | None
    size: int
    """Bytes of a large file."""
    rounds: int
    files: int
    seconds: float
    memory: int
    mirror: int
    calls: int
    listeners: int
    listen: int
    shares: int
    peers: bool
    profile: bool
    cache: Path
    profiles: Path
    json: Path


def parse(arguments: list[str] | None = None) -> Options:
    given = _parser().parse_args(arguments)
    if given.quick:
        for name, value in QUICK.items():
            setattr(given, name, value)
    return Options(
        parts=frozenset(given.only),
        data=given.data,
        size=given.size * MIB,
        rounds=given.rounds,
        files=given.files,
        seconds=given.seconds,
        memory=int(given.memory * GIB),
        mirror=given.mirror * MIB,
        calls=given.calls,
        listeners=given.listeners,
        listen=given.listen,
        shares=given.shares,
        peers=given.peers,
        profile=given.profile,
        cache=given.cache,
        profiles=given.profiles,
        json=given.json,
    )


def _parts(text: str) -> list[str]:
    names = text.split(",")
    if unknown := sorted(set(names) - set(PARTS)):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(PARTS)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parts = "\n".join(f"  {name:<14} {meaning}" for name, meaning in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="make bench",
        usage='make bench ARGS="[options]"',
        description="Measure this system on this machine, beside peers that are installed into bench/peers.",
        epilog=f"parts:\n{parts}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--only", type=_parts, default=list(PARTS), metavar="PART,…", help="measure these parts alone")
    add("--quick", action="store_true", help="small files and few rounds, to see that everything works")
    add("--no-peers", dest="peers", action="store_false", help="leave out the peers")
    add("--profile", action="store_true", help="measure nothing, but write a flame graph of each path and process")
    add("--data", type=Path, help="data folder of a running system (lift its limits first); without it one is started")
    add("--rounds", type=int, default=5, help="how often each part is measured (5)")
    add("--size", type=int, default=256, help="MiB of a large file (256)")
    add("--files", type=int, default=1000, help="number of small files (1000)")
    add("--seconds", type=float, default=3, help="how long each request is repeated in a round (3)")
    add("--memory", type=float, default=2, help="GiB to upload while memory is watched (2)")
    add("--mirror", type=int, default=512, help="MiB of the file that is mirrored (512)")
    add("--calls", type=int, default=10_000, help="number of posts to a room, and of reads (10000)")
    add("--listeners", type=int, default=1000, help="number of sockets, and of accounts, in one room (1000)")
    add("--listen", type=int, default=20, help="seconds for which they listen (20)")
    add("--shares", type=int, default=1_000_000, help="number of shares that an administrator looks at (1000000)")
    add("--cache", type=Path, default=Path("bench/peers"), help="folder for the peers' programs (bench/peers)")
    add("--profiles", type=Path, default=Path("bench/profiles"), help="folder for the flame graphs (bench/profiles)")
    add("--json", type=Path, default=Path("bench/results.json"), help="file for the results (bench/results.json)")
    return parser
