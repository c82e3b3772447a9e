"""Measures large files on every path. The paths take turns in each round, so the machine's moods touch all of them."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import disk
from tests.bench.options import Options
from tests.bench.paths import (
    Payload,
    archived,
    checked,
    chunked_upload,
    command_upload,
    curl_upload,
    link_upload,
    patch_upload,
    pieces_upload,
)
from tests.bench.systems import Systems
from tests.bench.targets import Target, Waystation
from tests.bench.trees import Commands, Taken, Tree, Watched, timed
from tests.bench.wire import fetch

DISK = "dd, synced"
DISK_UNSYNCED = "dd, not synced"
LINK, CHUNKS = "link", "chunks"
CHUNKS_UNSYNCED = "chunks, not synced"
PATCH, PIECES = "one PATCH, not synced", "four pieces at once, not synced"
COMMAND, CURL = "waystation send", "curl, one PATCH"
DOWNLOAD, CHECKED = "download", "download, hashed by the client"
ARCHIVE = "archive, the first time"
PEER_DOWNLOAD = "copyparty download"
COPIES = 12
"""At most so many files are on the disk for each round."""

Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class LargePath:
    """A way of a large file. `prepare` does what is not measured, and returns what is."""

    name: str
    tree: Watched
    prepare: Callable[[], Run]


def measure(systems: Systems, options: Options) -> dict[str, list[Taken]]:
    """The rounds of each path; a round before the first only warms up."""
    disk.require(systems.folder, COPIES * (options.rounds + 1) * options.size)
    paths = paths_of(systems, options)
    found: dict[str, list[Taken]] = {path.name: [] for path in paths}
    for number in range(options.rounds + 1):
        for path in paths:
            run = path.prepare()
            disk.settle()
            with timed(path.tree) as taken:
                run()
            if number:
                found[path.name].append(taken)
        systems.forget()
    return found


def paths_of(systems: Systems, options: Options) -> list[LargePath]:
    """All paths of the parts that are measured. A file is sent before it is fetched."""
    payload = Payload(options.size)
    known: dict[str, str] = {}
    """The URL of the last file that each target got."""
    paths: list[LargePath] = []
    if "form" in options.parts:
        paths += _disk(systems.folder, payload)
    if "form" in options.parts or "download" in options.parts:
        paths += [_sending(target, payload, known) for target in systems.targets]
    if "link" in options.parts:
        paths.append(_link(systems, payload))
    if "chunks" in options.parts:
        paths.append(_chunks(CHUNKS, systems.form.url, systems.tree, payload))
        if systems.unsynced:
            paths.append(_chunks(CHUNKS_UNSYNCED, systems.unsynced.url, systems.unsynced.tree, payload))
    if "pieces" in options.parts:
        target = systems.unsynced or systems.form
        paths += [_tus(PATCH, target, payload, patch_upload), _tus(PIECES, target, payload, pieces_upload)]
    if "command" in options.parts and shutil.which("curl"):
        target = systems.unsynced or systems.form
        paths += _commands(systems.folder, target, payload)
    if "download" in options.parts:
        paths += [*_downloads(systems, known), _archive(systems, payload)]
    return paths


def _disk(folder: Path, payload: Payload) -> list[LargePath]:
    source, target = folder / "dd.source", folder / "dd.target"
    source.write_bytes(payload.fresh())

    def path(name: str, *, synced: bool) -> LargePath:
        def prepare() -> Run:
            target.unlink(missing_ok=True)
            return lambda: disk.copy(source, target, synced=synced)

        return LargePath(name, Commands(), prepare)

    return [path(DISK, synced=True), path(DISK_UNSYNCED, synced=False)]


def _sending(target: Target, payload: Payload, known: dict[str, str]) -> LargePath:
    def prepare() -> Run:
        content = payload.fresh()

        def run() -> None:
            known[target.name] = target.send(content)

        return run

    return LargePath(target.name, target.tree, prepare)


def _link(systems: Systems, payload: Payload) -> LargePath:
    def prepare() -> Run:
        content = payload.fresh()
        return lambda: link_upload(systems.form.url, content)

    return LargePath(LINK, systems.tree, prepare)


def _chunks(name: str, url: str, tree: Tree, payload: Payload) -> LargePath:
    def prepare() -> Run:
        content = payload.fresh()
        sha256 = hashlib.sha256(content).hexdigest()
        return lambda: chunked_upload(url, content, sha256)

    return LargePath(name, tree, prepare)


def _tus(name: str, target: Waystation, payload: Payload, upload: Callable[[str, memoryview], str]) -> LargePath:
    def prepare() -> Run:
        content = payload.fresh()
        return lambda: upload(target.url, content)

    return LargePath(name, target.tree, prepare)


def _commands(folder: Path, target: Target, payload: Payload) -> list[LargePath]:
    file, home = folder / "command.source", folder / "command.home"
    host, port = target.address
    url = f"http://{host}:{port}"
    # The first run compiles the command.
    file.write_bytes(b"small")
    command_upload(url, file, home)

    def path(name: str, send: Callable[[], object]) -> LargePath:
        def prepare() -> Run:
            file.write_bytes(payload.fresh())
            return send

        return LargePath(name, target.tree, prepare)

    return [path(CURL, lambda: curl_upload(url, file)), path(COMMAND, lambda: command_upload(url, file, home))]


def _downloads(systems: Systems, known: dict[str, str]) -> list[LargePath]:
    ours = systems.form.name
    paths = [
        LargePath(DOWNLOAD, systems.tree, lambda: lambda: fetch(known[ours])),
        LargePath(CHECKED, systems.tree, lambda: lambda: checked(known[ours])),
    ]
    if peer := systems.copyparty:
        paths.append(LargePath(PEER_DOWNLOAD, peer.tree, lambda: lambda: fetch(known[peer.name])))
    return paths


def _archive(systems: Systems, payload: Payload) -> LargePath:
    """A zip file of a share whose content was never in one, so its checksum has to be computed."""

    def prepare() -> Run:
        url = archived(systems.form.url, payload.fresh())
        return lambda: fetch(url)

    return LargePath(ARCHIVE, systems.tree, prepare)
