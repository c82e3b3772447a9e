"""A body whose length is announced before its first byte."""

from collections.abc import AsyncIterable, AsyncIterator

from common.errors import InvalidInput


class BodyLength(InvalidInput):
    """The content does not have the announced length."""

    code = "body_length"

    def __init__(self, expected: int, actual: int) -> None:
        """`actual`: the number of bytes that came until the content was refused."""
        super().__init__(f"{actual} bytes, {expected} announced")
        self.expected, self.actual = expected, actual


class SizedBody:
    """A body of announced length that raises an error if its source is shorter or longer.

    The last block is sent only when the source has ended as announced. Until then the request is incomplete, and the
    receiver stores nothing.
    """

    def __init__(self, blocks: AsyncIterable[bytes], size: int) -> None:
        self.size = size
        self.failure: Exception | None = None
        """The error of the source, or `BodyLength`. It is kept here because HTTP clients raise errors of their own."""
        self._blocks = blocks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen, last = 0, b""
        try:
            async for block in self._blocks:
                seen += len(block)
                if seen > self.size:
                    raise BodyLength(self.size, seen)
                if seen < self.size:
                    yield block
                else:
                    last += block
            if seen < self.size:
                raise BodyLength(self.size, seen)
        except Exception as error:
            self.failure = error
            raise
        yield last
