"""Forms: `multipart/form-data` with files as streams, and small forms without files."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl

import multipart
from fastapi import Request

from common.errors import InvalidInput, TooLarge
from common.http.bodies import FIELD_LIMIT, RawBody, media_type, read_body
from common.http.dispositions import extended_name
from common.http.json_bodies import read_object
from common.names import clean_name

TRAILING_LIMIT = 64 * 1024
"""The most bytes of all fields after a file together. The lower bound on the file's length depends on it."""
FIELD_COUNT = 64
HEADER_LIMIT = 16 * 1024
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")

Event = multipart.MultipartSegment | bytes | bytearray | None


@dataclass(frozen=True, slots=True)
class Field:
    """A form field without a file name."""

    name: str
    text: str


class FilePart:
    """A file inside a form: a `Source` for the writer of streams. Unread bytes are skipped."""

    def __init__(self, name: str, filename: str, form: "FormStream") -> None:
        self.name = name
        self.filename = filename
        """The name, cleaned; empty if the client sent an empty one."""
        self._form = form
        self.ended = False

    def certain(self) -> int:
        """A lower bound on the file's bytes still to come: the rest of the body without what may follow it."""
        return max(0, self._form.body.certain() - self._form.closing - TRAILING_LIMIT)

    @property
    def most(self) -> int | None:
        """An upper bound on the file's bytes; None: unknown."""
        return self._form.body.length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self.ended:
            event = await self._form.next_event()
            if event is None:
                self.ended = True
            else:
                yield cast("bytes", event)


class FormStream:
    """The parts of a `multipart/form-data` body (RFC 7578), in the order sent, files as streams.

    Raises `InvalidInput` if the body is malformed or incomplete, `TooLarge` if a field or the body exceeds its limit.
    """

    def __init__(
        self, request: Request, limit: int | None = None, *, count: int = FIELD_COUNT, field_limit: int = FIELD_LIMIT
    ) -> None:
        """`limit`: the most bytes of the whole body; None if the reader itself limits the size of the file.

        `count`: the most parts; `field_limit`: the most bytes of a field that is not a file.
        """
        kind, options = multipart.parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get("boundary", "")
        if kind != "multipart/form-data" or not boundary:
            raise InvalidInput("the body is not multipart/form-data with a boundary")
        self.body = RawBody(request, limit)
        self.closing = len(boundary.encode()) + 8
        self._count, self._field_limit = count, field_limit
        self._blocks = aiter(self.body)
        try:
            self._parser = multipart.PushMultipartParser(boundary, max_header_size=HEADER_LIMIT, max_header_count=16)
        except multipart.MultipartError as error:
            raise InvalidInput(f"malformed form: {error.args[0]}") from None
        self._events: AsyncIterator[Event] = self._parse()

    async def __aiter__(self) -> AsyncIterator[Field | FilePart]:
        for _ in range(self._count):
            segment = await anext(self._events, None)
            if segment is None:
                return
            assert isinstance(segment, multipart.MultipartSegment)
            filename = _filename(segment)
            if filename is None:
                yield await self._field(segment)
                continue
            part = FilePart(segment.name or "", filename, self)
            yield part
            async for _ in part:
                pass
        raise InvalidInput(f"more than {self._count} form fields")

    async def next_event(self) -> Event:
        """The parser's next event: a part's start, a block of it, or None at its end."""
        return await anext(self._events)

    async def _field(self, segment: multipart.MultipartSegment) -> Field:
        value = bytearray()
        while (event := await self.next_event()) is not None:
            value += cast("bytes", event)
            if len(value) > self._field_limit:
                raise TooLarge(f"the form field {segment.name!r} is too long")
        try:
            return Field(segment.name or "", value.decode())
        except UnicodeDecodeError:
            raise InvalidInput(f"the form field {segment.name!r} is not UTF-8") from None

    async def _parse(self) -> AsyncIterator[Event]:
        try:
            async for block in self._blocks:
                for event in self._parser.parse(block):
                    yield event
            self._parser.close()
        except multipart.MultipartError as error:
            # The first argument is the message; the others are details for programmers.
            raise InvalidInput(f"malformed form: {error.args[0]}") from None


async def read_form(request: Request, *, limit: int = FIELD_LIMIT, count: int = FIELD_COUNT) -> list[Field]:
    """The fields of a small form, urlencoded or multipart, in the order sent, with repetitions. Files are skipped.

    `limit`: the most bytes; `count`: the most fields. Raises `InvalidInput`, `TooLarge`.
    """
    kind = media_type(request)
    if kind == "multipart/form-data":
        form = FormStream(request, limit=limit + TRAILING_LIMIT, count=count)
        return [part async for part in form if isinstance(part, Field)]
    if kind != "application/x-www-form-urlencoded":
        raise InvalidInput("the body is no form")
    body = await read_body(request, limit)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=count, errors="strict")
    except ValueError:
        raise InvalidInput("malformed form") from None
    return [Field(name, text) for name, text in pairs]


async def read_fields(request: Request) -> dict[str, Any]:
    """The fields of a small body: a JSON object, or a urlencoded or multipart form (whose values are strings).

    A body without a content type is read as JSON. Files in a form are skipped. Raises `InvalidInput`, `TooLarge`.
    """
    if media_type(request) in FORM_TYPES:
        return {field.name: field.text for field in await read_form(request)}
    return await read_object(request, FIELD_LIMIT)


def _filename(segment: multipart.MultipartSegment) -> str | None:
    """The file name of a part, cleaned: empty if it is empty, None if the part is no file. Raises `InvalidInput`."""
    sent = _sent_filename(segment)
    return clean_name(sent) if sent else sent


def _sent_filename(segment: multipart.MultipartSegment) -> str | None:
    """The file name as it was sent. Some clients send it legibly only as `filename*` (RFC 8187)."""
    for name, value in segment.headerlist:
        if name == "Content-Disposition" and (extended := extended_name(value)):
            return extended
    return segment.filename
