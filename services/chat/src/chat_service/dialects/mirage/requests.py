"""The parts of a request that Mirage's clients send: their token, ids, and messages."""

from fastapi import Request

from chat_service.edge import context_of
from common.dialects import mirage
from common.dialects.mirage import Refused, number_of, read_fields
from common.http.json_bodies import Fields
from common.identity import Identity

# JSON may spell a byte of text as six (`\u0041`), and a body has other members.
BYTES_OF_A_BYTE, OTHER_MEMBERS = 6, 16 * 1024

NOT_IN_ROOM = 403, "you are not in this room"


def authorization(request: Request) -> str:
    """The token that was sent; empty when there was none."""
    return request.headers.get("authorization", "")


async def identify(request: Request, missing: tuple[int, str]) -> Identity:
    """The account that sent the request. Raises `Refused`, with `missing` when no token was sent."""
    return await mirage.identify(context_of(request).identities, authorization(request), Refused(*missing))


async def read_message(request: Request, text_bytes: int) -> Fields:
    """A body whose text has at most `text_bytes` of UTF-8. Raises the errors of `read_fields`."""
    return await read_fields(request, BYTES_OF_A_BYTE * text_bytes + OTHER_MEMBERS)


def room_id_of(sent: object) -> int:
    """The id that was sent. Raises `Refused` for an impossible one, because nobody is in such a room."""
    room_id = number_of(sent)
    if room_id is None:
        raise Refused(*NOT_IN_ROOM)
    return room_id
