"""Sending several files and texts under one code, which exists before the first byte is sent."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from waystation.connection import Connection
from waystation.errors import BadAnswer, Damaged, NotFound, NotReady, SourceChanged, UnknownCode, WaystationError
from waystation.journal import Entry
from waystation.models import Item, Share, parsed
from waystation.progress import Progress
from waystation.sources import Source
from waystation.tasks import side_by_side
from waystation.terms import Terms
from waystation.uploads import Upload

AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Text:
    """A text to send."""

    text: str = field(repr=False)


Sent = Source | Text


class Sending:
    """The way of several files and texts to the server."""

    def __init__(
        self,
        connection: Connection,
        sent: Sequence[Sent],
        terms: Terms,
        entry: Entry,
        progress: Progress,
        path: str = "/v1/shares",
    ) -> None:
        """`entry`: what is known of an earlier attempt, and is kept for a later one; `path`: the call that makes the
        share."""
        self._connection, self._sent, self._terms, self._path = connection, sent, terms, path
        self._entry, self._progress = entry, progress

    async def send(self, on_share: Callable[[Share], None]) -> Share:
        """Send everything, and return the share once all of it is verified. `on_share` is told its code at first."""
        return await self._finish(await self._earlier() or await self._create(), on_share)

    async def resume(self, on_share: Callable[[Share], None]) -> Share:
        """The same for a share that has been begun. Raises `UnknownCode` if it is not there any more."""
        share = await self._earlier()
        if share is None:
            self._entry.finish()
            raise UnknownCode
        return await self._finish(share, on_share)

    async def _finish(self, share: Share, on_share: Callable[[Share], None]) -> Share:
        on_share(share)
        try:
            works = (partial(self._fill, item, source) for item, source in self._files(share))
            await side_by_side(works, AT_ONCE)
            done = await self._settled(share)
            self._check(done)
        except (SourceChanged, Damaged):
            await self._withdraw(share)
            raise
        self._entry.finish()
        return done

    async def _earlier(self) -> Share | None:
        """The share that an earlier attempt began, if it is still there."""
        known = self._entry.data
        if not self._terms.has_mark(known.get("password")):
            return None
        with suppress(NotFound, UnknownCode):
            share = await self._look(str(known["share"]), str(known["key"]))
            if share.items and not any(item.state == "failed" for item in self._items(share)):
                return share
        return None

    async def _create(self) -> Share:
        items = [
            {"text": one.text} if isinstance(one, Text) else {"name": one.name, "size": one.size} for one in self._sent
        ]
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        answer = await self._connection.json(
            "POST", self._path, json={"items": items, **self._terms.json()}, headers=headers
        )
        share = parsed(Share.parse, answer)
        if share.key is None or len(share.items) != len(items):
            raise BadAnswer
        known: dict[str, Any] = {"share": share.id, "key": share.key, "uploads": {}, "sent": {}}
        self._entry.data = {**known, "items": [item.id for item in share.items], "password": self._terms.mark()}
        self._entry.save()
        return share

    async def _look(self, share_id: str, key: str) -> Share:
        found = await self._connection.json("GET", f"/v1/shares/{share_id}", headers={"Share-Key": key})
        return parsed(Share.parse, found)

    def _items(self, share: Share) -> list[Item]:
        """The items that are sent here, in the order of their sources. A share that was begun elsewhere may have more.

        Raises `UnknownCode` if one has been removed meanwhile.
        """
        found = {item.id: item for item in share.items}
        # Entries of earlier versions do not name them: they are all.
        ids = self._entry.data.get("items", list(found))
        if not found.keys() >= set(ids):
            raise UnknownCode
        return [found[item_id] for item_id in ids]

    def _files(self, share: Share) -> list[tuple[Item, Source]]:
        pairs = zip(self._items(share), self._sent, strict=True)
        return [(item, source) for item, source in pairs if not isinstance(source, Text)]

    async def _fill(self, item: Item, source: Source) -> None:
        """Send the content of an item, unless all of it is there."""
        known = self._entry.data
        if item.id in known["sent"]:
            return
        upload_id = known["uploads"].get(item.id)
        if item.upload is None and upload_id is None:
            raise BadAnswer

        def remember(upload_id: str) -> None:
            known["uploads"][item.id] = upload_id
            self._entry.save()

        upload = Upload(
            self._connection,
            source,
            {"filename": source.name, "item": item.upload or ""},
            key=item.id,
            upload_id=upload_id,
            remember=remember,
            progress=self._progress,
        )
        digest, _ = await upload.send()
        known["sent"][item.id] = digest.hex()
        self._entry.save()

    async def _settled(self, share: Share) -> Share:
        """The share when each of the items that are sent here is verified or has failed."""
        assert share.id is not None
        assert share.key is not None
        attempts = self._connection.attempts()
        while True:
            found = await self._look(share.id, share.key)
            if all(item.state in ("ready", "failed") for item in self._items(found)):
                return found
            await attempts.pause(NotReady("the server is still verifying what was sent"))

    def _check(self, share: Share) -> None:
        """Raise `Damaged` unless the server has what was read here."""
        sent = self._entry.data["sent"]
        for item, _ in self._files(share):
            if item.state == "failed" or item.sha256 != sent[item.id]:
                raise Damaged

    async def _withdraw(self, share: Share) -> None:
        """End a share that shall not be, if the server can be asked; of one that was begun elsewhere, what was sent."""
        path, known = f"/v1/shares/{share.id}", self._entry.data
        paths = [f"{path}/items/{item_id}" for item_id in known["items"]] if known.get("begun_elsewhere") else [path]
        self._entry.finish()
        for wrong in paths:
            with suppress(WaystationError):
                await self._connection.once("DELETE", wrong, headers={"Share-Key": str(share.key)})
