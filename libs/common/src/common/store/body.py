"""A body whose length is announced before its first byte."""

from collections.abc import AsyncIterable, AsyncIterator

from common.errors import InvalidInput


class BodyLength(InvalidInput):
    """The content does not have the announced length."""

    code = "body_length"


class SizedBody:
    """A body of announced length that fails rather than send less or more.

    The last block is sent only when the source has ended as announced. Until then the receiver has an unfinished
    request, and keeps nothing of it.
    """

    def __init__(self, blocks: AsyncIterable[bytes], size: int) -> None:
        self.size = size
        self.failure: Exception | None = None
        """The reason it failed: the error of the source, or `BodyLength`. HTTP clients report an error of their own."""
        self._blocks = blocks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen, last = 0, b""
        try:
            async for block in self._blocks:
                seen += len(block)
                if seen > self.size:
                    raise BodyLength(f"more than the {self.size} bytes announced")
                if seen < self.size:
                    yield block
                else:
                    last += block
            if seen < self.size:
                raise BodyLength(f"{seen} bytes, {self.size} announced")
        except Exception as error:
            self.failure = error
            raise
        yield last
