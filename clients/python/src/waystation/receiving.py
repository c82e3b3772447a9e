"""Receiving everything that lies under a code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waystation.connection import Connection
from waystation.downloads import Download, pipe
from waystation.errors import Damaged, NotReady, Refused, UnknownCode, Unusable
from waystation.journal import Entry
from waystation.models import Item, Offer
from waystation.names import safe_name
from waystation.offers import Facts, facts_of, look, place_of
from waystation.partial import Partial
from waystation.progress import Progress


@dataclass(frozen=True, slots=True)
class Received:
    """An item that arrived: a file at `path`, or a text."""

    item: Item
    path: Path | None = None
    text: str | None = field(default=None, repr=False)


class Receiving:
    """The way of what lies under a code to here."""

    def __init__(
        self, connection: Connection, code: str, password: str | None, journal: Path, progress: Progress
    ) -> None:
        """`journal`: the folder of what is unfinished."""
        self._connection, self._code, self._password = connection, code, password
        self._journal, self._progress = journal, progress

    async def into(
        self, folder: Path, *, connections: int, overwrite: bool, on_item: Callable[[Received], None]
    ) -> list[Received]:
        """Receive everything into a folder, whatever the names say. Texts are returned and not written."""
        folder = _made(folder)
        received: list[Received] = []
        with self._entry(folder) as entry:
            offer = await self._offer(entry)
            for item in offer.items:
                if item.text is not None:
                    one = Received(item, text=item.text)
                else:
                    target = folder / safe_name(item.name)
                    one = Received(item, await self._fetch(entry, item, target, connections, overwrite=overwrite))
                received.append(one)
                on_item(one)
            entry.finish()
        return received

    async def to_file(self, target: Path, *, connections: int, overwrite: bool) -> Received:
        """Receive the only item into this very file. Raises `Unusable` if there are several."""
        target = _free(target, overwrite=overwrite)
        with self._entry(target) as entry:
            item = _only(await self._offer(entry))
            if item.text is None:
                path = await self._fetch(entry, item, target, connections, overwrite=overwrite)
                entry.finish()
                return Received(item, path)
        _write(target, item.text, overwrite=overwrite)
        return Received(item, target, item.text)

    async def to_pipe(self, write: Callable[[bytes], object]) -> Received:
        """Hand the content of the only item to `write`, in order. Raises `Unusable` if there are several."""
        item = _only(await self._look())
        if item.text is not None:
            write(item.text.encode())
            return Received(item, text=item.text)
        await self._ready(item)
        place = place_of(self._code, item, self._password)
        await pipe(self._connection, place, write, key=item.id, name=item.name, progress=self._progress)
        return Received(item)

    def _entry(self, target: Path) -> Entry:
        return Entry(self._journal, "get", (self._connection.server, self._code, str(target)))

    async def _look(self) -> Offer:
        return await look(self._connection, self._code, self._password)

    async def _offer(self, entry: Entry) -> Offer:
        """The share under the code; the earlier one, if its last use was for what is unfinished here."""
        known = entry.data.get("items")
        try:
            offer = await self._look()
        except UnknownCode:
            if not known:
                raise
            items = [Item(one["id"], one["name"], one["size"], "ready") for one in known.values()]
            return Offer(self._code, tuple(items))
        if not known or list(known) != [item.id for item in offer.items]:
            entry.data = {
                "items": {item.id: {"id": item.id, "name": item.name, "size": item.size} for item in offer.items}
            }
        return offer

    async def _fetch(self, entry: Entry, item: Item, target: Path, connections: int, *, overwrite: bool) -> Path:
        """Fetch an item that has not arrived yet; returns where it is."""
        known = entry.data["items"][item.id]
        if kept := _kept(known):
            return kept
        place = place_of(self._code, item, self._password)
        notes: dict[str, Any] = known.setdefault("notes", {})
        if notes:
            # Nothing is asked but the rest: the code may be used up.
            facts = Facts.noted(notes)
        else:
            await self._ready(item)
            facts = await facts_of(self._connection, place)
        mark = f"{entry.mark}-{list(entry.data['items']).index(item.id)}"
        partial = Partial(target, facts, mark=mark, notes=notes, save=entry.save)
        download = Download(self._connection, place, target, key=item.id, progress=self._progress)
        expected = bytes.fromhex(item.sha256) if item.sha256 else None
        try:
            path = await download.fetch(partial, connections, overwrite=overwrite, expected=expected)
        except Damaged:
            entry.finish()
            raise
        known["kept"] = str(path)
        entry.save()
        return path

    async def _ready(self, item: Item) -> None:
        """Wait until an item can be fetched, for as long as its content is still coming."""
        attempts, before = self._connection.attempts(), item
        while before.state != "ready":
            if before.state == "failed":
                raise Refused(f"{item.name} was never completed by its sender.")
            await attempts.pause(NotReady(f"{item.name} is not complete yet."))
            offer = await self._look()
            now = next((found for found in offer.items if found.id == item.id), None)
            if now is None:
                raise Refused(f"{item.name} was taken back by its sender.")
            if now != before:
                attempts.progressed()
            before = now


def _only(offer: Offer) -> Item:
    if len(offer.items) != 1:
        raise Unusable("There are several items under this code; they can only be received into a folder.")
    return offer.items[0]


def _kept(known: Mapping[str, Any]) -> Path | None:
    """The path of an item that arrived in an earlier attempt."""
    path = known.get("kept")
    return Path(path) if path and Path(path).is_file() else None


def _made(folder: Path) -> Path:
    """The folder, by a path that means the same in every process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return folder.absolute()
    except OSError as error:
        raise Unusable(f"{folder}: {error.strerror}") from None


def _free(target: Path, *, overwrite: bool) -> Path:
    if target.is_dir() or (target.exists() and not overwrite):
        raise Unusable(f"{target}: exists already")
    return target.absolute()


def _write(target: Path, text: str, *, overwrite: bool) -> None:
    try:
        with target.open("w" if overwrite else "x", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise Unusable(f"{target}: {error.strerror}") from None
