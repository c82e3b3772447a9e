"""Lists in pages. A cursor names the last row of a page, so added and removed rows do not shift the next page."""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from common.errors import InvalidInput

PAGE_LIMIT = 200
PAGE_SIZE = 50

_FORM = struct.Struct(">q16s")
_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The values of the last row of a page in the two columns by which the list is ordered."""

    created_at: datetime
    id: UUID

    def __str__(self) -> str:
        """The text of the cursor for URLs."""
        moment = (self.created_at - _START) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(_FORM.pack(moment, self.id.bytes)).decode()

    @staticmethod
    def parse(text: str) -> "Cursor":
        """Parse a cursor. Raises `InvalidInput`."""
        try:
            moment, row_id = _FORM.unpack(base64.b64decode(text, altchars=b"-_", validate=True))
            return Cursor(_START + timedelta(microseconds=moment), UUID(bytes=row_id))
        except (binascii.Error, struct.error, ValueError, OverflowError):
            raise InvalidInput("the cursor is none that a list gave") from None
