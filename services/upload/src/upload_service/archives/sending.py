"""The bytes of an archive, made while they are sent."""

import zlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import accumulate
from uuid import UUID

from common.archive import Piece
from upload_service.archives.checksums import crc_of
from upload_service.archives.context import Context
from upload_service.archives.model import ContentUnavailable, OpenedArchive
from upload_service.archives.reading import Contents

BLOCK = 64 * 1024
"""Smaller pieces are sent together: an archive may have many small files."""
TEXTS_AT_ONCE = 4 * 1024 * 1024
"""The most bytes of texts that are asked for at once, unless one of them is longer."""


async def send(context: Context, opened: OpenedArchive, start: int, stop: int) -> AsyncGenerator[bytes]:
    """The bytes of the archive from `start` to `stop`.

    Raises `Unavailable` when a content cannot be read. What was sent until then is right, and the rest can be asked for
    by its range.
    """
    gathered = bytearray()
    sender = _Sender(context, opened)
    for piece in opened.archive.pieces(start, stop):
        async with aclosing(sender.bytes_of(piece)) as blocks:
            async for block in blocks:
                if not gathered and len(block) >= BLOCK:
                    yield block
                    continue
                gathered += block
                if len(gathered) >= BLOCK:
                    yield bytes(gathered)
                    gathered.clear()
    if gathered:
        yield bytes(gathered)


class _Sender:
    """Makes the pieces of one archive for one request."""

    def __init__(self, context: Context, opened: OpenedArchive) -> None:
        self._context, self._opened = context, opened
        self._contents = Contents(context)
        self._texts: dict[UUID, bytes] = {}
        """Some of the texts: those that were asked for last."""

    async def bytes_of(self, piece: Piece) -> AsyncGenerator[bytes]:
        """The bytes of a piece. Raises `Unavailable`."""
        archive, index = self._opened.archive, piece.index
        if piece.kind != "content":
            yield archive.made(piece, 0 if piece.kind == "end" else await self._crc(index))
        elif index == archive.last:
            yield archive.sums[piece.start : piece.stop]
        elif blob := self._opened.blobs[index]:
            async with aclosing(self._contents.read(blob, piece.start, piece.stop - piece.start)) as blocks:
                async for block in blocks:
                    yield block
        else:
            yield (await self._text(index))[piece.start : piece.stop]

    async def _crc(self, index: int) -> int:
        crc = self._opened.crcs[index]
        if crc is None:
            blob = self._opened.blobs[index]
            crc = await crc_of(self._context, self._contents, blob) if blob else zlib.crc32(await self._text(index))
            self._opened.crcs[index] = crc
        return crc

    async def _text(self, index: int) -> bytes:
        """The text of an item, which is asked for together with those that follow it."""
        share = self._opened.share
        item_id = share.items[index].id
        if item_id not in self._texts:
            texts = await self._context.shares.archived_texts(share.share_id, share.ticket, self._next_texts(index))
            self._texts = {each: text.encode() for each, text in texts.items()}
        if item_id not in self._texts:
            raise ContentUnavailable
        return self._texts[item_id]

    def _next_texts(self, index: int) -> list[UUID]:
        """The items with a text from `index` on, as many as are asked for at once."""
        texts = [item for item in self._opened.share.items[index:] if item.file_id is None]
        total = accumulate(item.size for item in texts)
        return [item.id for item, size in zip(texts, total, strict=True) if size <= TEXTS_AT_ONCE or item is texts[0]]
