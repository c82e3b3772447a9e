"""MirrorAce: the bytes of a chunk, which may be none."""

from collections.abc import AsyncIterator

from common.http.forms import FilePart


class Payload:
    """A form's file, read up to its first bytes: a `Source` for the in-order writer."""

    def __init__(self, file: FilePart, blocks: AsyncIterator[bytes], first: bytes) -> None:
        self._file, self._blocks, self._first = file, blocks, first
        self.is_empty = not first

    @staticmethod
    async def begin(file: FilePart) -> "Payload":
        """Wait for the first bytes, or for the end."""
        blocks, first = aiter(file), b""
        while not first and (block := await anext(blocks, None)) is not None:
            first = block
        return Payload(file, blocks, first)

    def certain(self) -> int:
        return self._file.certain() + len(self._first)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        first, self._first = self._first, b""
        if first:
            yield first
        async for block in self._blocks:
            yield block
