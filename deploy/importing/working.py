"""Bringing the shares of another system in, by the same use cases as an upload. It can be killed and repeated."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from common.db import Database
from common.errors import DomainError, InvalidInput
from common.names import clean_name
from deploy.importing.model import ContentLost, Contents, Foreign, Source, printable
from share_service.shares import importing
from share_service.shares.importing import Imported
from share_service.shares.making import TEXT_NAME, Content
from share_service.shares.model import CodeTaken
from upload_service.content import sessions, streams
from upload_service.content.context import Context
from upload_service.content.sessions import NewUpload

TOLD_EVERY = 100


@dataclass(slots=True)
class Report:
    """The result so far."""

    files: int = 0
    texts: int = 0
    size: int = 0
    """Bytes of the files."""
    were_there: int = 0
    left_out: list[str] = field(default_factory=list[str])
    """A line for each share that cannot be imported, with the reason."""

    def leave_out(self, code: str, reason: str) -> None:
        self.left_out.append(printable(f"{code}: {reason}"))


async def bring_in(
    source: Source, context: Context, shares: Database, *, write: bool, told: Callable[[Report], None]
) -> Report:
    """Import all shares of `source`, or without `write` only see what that would do. `told` hears now and then."""
    report = Report()
    for number, foreign in enumerate(source.shares(), 1):
        await _bring_one(foreign, source.contents, context, shares, report, write=write)
        if number % TOLD_EVERY == 0:
            told(report)
    return report


async def _bring_one(
    foreign: Foreign, contents: Contents, context: Context, shares: Database, report: Report, *, write: bool
) -> None:
    if await importing.was_imported(shares, foreign.origin):
        report.were_there += 1
        return
    try:
        if not importing.is_name(foreign.kind, foreign.code):
            raise InvalidInput("no share can have this name here")
        if await importing.is_taken(shares, foreign.kind, foreign.code):
            raise CodeTaken
        if foreign.text is None:
            report.size += await _bring_file(foreign, contents, context, shares, write=write)
            report.files += 1
        else:
            if write:
                await importing.import_share(shares, _imported(foreign, _text_of(foreign)))
            report.texts += 1
    except (ContentLost, InvalidInput, CodeTaken) as error:
        report.leave_out(foreign.code, error.message if isinstance(error, DomainError) else str(error))


async def _bring_file(foreign: Foreign, contents: Contents, context: Context, shares: Database, *, write: bool) -> int:
    """Returns the size."""
    name, body = clean_name(foreign.name or "unnamed"), _Sized(foreign, contents)
    if not write:
        async for _ in body:
            # Only the first block: it is there, and reading all of it is for the import itself.
            break
        return foreign.size
    # A killed import left its session open; the same key finds it again.
    key = hashlib.sha256(foreign.origin.encode()).digest()
    session = await sessions.start_upload(context, NewUpload(name, foreign.size, resume_key=key))
    try:
        size = await streams.put_stream(context, session, body, foreign.size)
        ready = await streams.finish_stream(context, session)
    except BaseException:
        await streams.discard_stream(context, session.id)
        raise
    content = Content("file", name, size, file_id=ready.file_id)
    await importing.import_share(shares, _imported(foreign, content))
    return size


def _text_of(foreign: Foreign) -> Content:
    text = foreign.text or ""
    return Content("text", TEXT_NAME, len(text.encode()), body=text)


def _imported(foreign: Foreign, content: Content) -> Imported:
    return Imported(
        foreign.origin, foreign.kind, foreign.code, content, foreign.expiry, foreign.created_at, foreign.used_count
    )


class _Sized:
    """A content of the size that the other system says. Raises `ContentLost` at its end if it has another."""

    def __init__(self, foreign: Foreign, contents: Contents) -> None:
        self._foreign, self._contents = foreign, contents
        self._seen = 0

    def certain(self) -> int:
        return self._foreign.size - self._seen

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = self._foreign.size
        async for block in self._contents.read(self._foreign.path):
            self._seen += len(block)
            if self._seen > size:
                raise ContentLost(f"{self._foreign.path} has more than {size} bytes")
            yield block
        if self._seen < size:
            raise ContentLost(f"{self._foreign.path} has {self._seen} bytes, and should have {size}")
