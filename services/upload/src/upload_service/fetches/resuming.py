"""The content of a fetch as one sequence of bytes, over as many connections as it takes.

A connection that breaks off is followed by another one, which asks for the rest from the very byte that is missing
(RFC 9110, section 14.2), on condition that it is still the same content. The part that is under way in the store does
not notice. Only when the server stays away is the part given up, and with it at most its own length.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from common.backoff import backoff
from common.outbound.client import Answer, RemoteRefused, RemoteUnavailable
from common.statuses import is_temporary
from upload_service.fetches.model import Fetch, validator_of
from upload_service.fetches.names import is_encoded_file, name_of
from upload_service.fetches.work import Work

# Answers that carry content; other successful answers only promise it, or have none.
WITH_CONTENT = (200, 203, 206)
ENOUGH = 64 * 1024
"""A connection that brought so many bytes is followed by another one at once."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=1), timedelta(seconds=4)
LINGER = timedelta(seconds=10)
"""The longest time that a fetch waits in its place, for the sake of a part that is under way."""


class ContentChanged(RemoteUnavailable):
    """The content changed while it was fetched."""


@asynccontextmanager
async def ask_for(work: Work, start: int) -> AsyncGenerator[Answer]:
    """The answer to a request for the content from offset `start` on. It may be all of it, or other content.

    Raises the errors of the client, and `RemoteRefused` for a success without content.
    """
    fetch, outbound = work.fetch, work.context.outbound
    headers = {"Range": f"bytes={start}-"} if start else {}
    condition = {"If-Range": fetch.validator or ""} if start else {}
    async with AsyncExitStack() as stack:
        answer = await stack.enter_async_context(outbound.get(fetch.url, headers | condition))
        if start and _ignores_condition(answer, fetch):
            await stack.aclose()
            answer = await stack.enter_async_context(outbound.get(fetch.url, headers))
        if answer.status not in WITH_CONTENT:
            raise RemoteRefused(answer.status)
        yield answer


def continues(answer: Answer, fetch: Fetch, start: int) -> bool:
    """Whether an answer is the rest of the very same content."""
    # A server that was sent a date need not repeat it (RFC 9110, section 15.3.7); a tag must be repeated.
    may_be_silent = bool(fetch.validator) and not _is_tag(fetch.validator) and not _has_validator(answer)
    is_same = may_be_silent or validator_in(answer) == fetch.validator
    # A range need not say how long the whole is.
    fits = fetch.size is None or answer.size in (None, fetch.size)
    return answer.status == 206 and answer.start == start and fits and is_same and strange_encoding(answer) is None


def validator_in(answer: Answer) -> str | None:
    headers = answer.headers
    return validator_of(headers.get("ETag"), headers.get("Last-Modified"), headers.get("Date"))


def name_in(answer: Answer) -> str:
    """The name that the server gives the content."""
    return name_of(answer.url, answer.headers.get("Content-Disposition"))


def strange_encoding(answer: Answer) -> str | None:
    """The `Content-Encoding` of an answer that nobody asked for; None: its body is the file itself."""
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    is_file = encoding in ("", "identity") or is_encoded_file(name_in(answer), encoding)
    return None if is_file else encoding


def _ignores_condition(answer: Answer, fetch: Fetch) -> bool:
    """Whether a server sends all of the very same content where it should have sent the rest.

    Some compare `If-Range` wrongly and still know ranges. A tag in the answer to a plain range is as good.
    """
    knows_ranges = answer.headers.get("Accept-Ranges", "").strip().lower() != "none"
    return (
        answer.status == 200 and knows_ranges and _is_tag(fetch.validator) and validator_in(answer) == fetch.validator
    )


def _is_tag(validator: str | None) -> bool:
    return bool(validator) and validator.startswith('"')


def _has_validator(answer: Answer) -> bool:
    return "ETag" in answer.headers or "Last-Modified" in answer.headers


class RemoteContent:
    """The content from an offset on, of which the first answer is there. Leaving the context closes later connections.

    A store may read the blocks in a task of its own, so the generator cannot close them.
    """

    def __init__(self, work: Work, answer: Answer, start: int) -> None:
        self._work, self._answer, self._position = work, answer, start
        self._size = work.fetch.size
        self._begun = start
        """The offset at which the last connection began."""
        self._failures, self._waited = 0, timedelta(0)
        self._connection = AsyncExitStack()

    async def __aenter__(self) -> "RemoteContent":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.aclose()

    async def blocks(self) -> AsyncGenerator[bytes]:
        """The blocks of the content to its end.

        Raises the errors of the client when the server stays away, and `ContentChanged`.
        """
        try:
            async for block in self._body(self._answer):
                yield block
        except RemoteUnavailable as error:
            await self._pause_after(error)
        else:
            return
        while True:
            try:
                async for block in self._body(await self._connect_again()):
                    yield block
            except (RemoteUnavailable, RemoteRefused) as error:
                await self._pause_after(error)
            else:
                return

    async def _connect_again(self) -> Answer:
        """The answer with the rest. Raises `ContentChanged`, and the errors of the client."""
        await self._connection.aclose()
        answer = await self._connection.enter_async_context(ask_for(self._work, self._position))
        if not continues(answer, self._work.fetch, self._position):
            raise ContentChanged
        self._size = self._size or answer.size
        return answer

    async def _body(self, answer: Answer) -> AsyncGenerator[bytes]:
        async for block in answer.blocks():
            self._position += len(block)
            yield block
        if self._position < (self._size or 0) or (answer.status == 206 and self._size is None):
            raise RemoteUnavailable("the remote server sent less than all")

    async def _pause_after(self, error: RemoteUnavailable | RemoteRefused) -> None:
        """Wait as long as is due before the next connection. Raises the error if that should not be waited for here."""
        brought, self._begun = self._position - self._begun, self._position
        is_final = isinstance(error, RemoteRefused) and not is_temporary(error.status)
        if is_final or isinstance(error, ContentChanged) or not self._work.fetch.validator or not self._position:
            raise error
        if brought >= ENOUGH:
            self._failures, self._waited = 0, timedelta(0)
            return
        self._failures += 1
        asked = error.retry_after if isinstance(error, RemoteRefused) else None
        pause = max(backoff(self._failures, FIRST_WAIT, LONGEST_WAIT), asked or timedelta(0))
        self._waited += pause
        if self._waited > LINGER or self._position == self._work.stored:
            raise error
        await asyncio.sleep(pause.total_seconds())
