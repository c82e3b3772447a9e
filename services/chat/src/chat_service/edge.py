"""The parts that routes of all slices need: the context, the caller, ids, pages, and accounts in JSON."""

from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from chat_service.accounts import Account
from chat_service.bounds import ID_MAX
from chat_service.context import Context
from common.addresses import limit_key
from common.errors import InvalidInput
from common.lookalikes.scripts import mixed_scripts
from common.pages import PAGE_LIMIT
from common.repeatable import KEY_LENGTH

RoomId = Annotated[int, Path(ge=1, le=ID_MAX)]
Limit = Annotated[int, Query(ge=1, le=PAGE_LIMIT)]
After = Annotated[str | None, Query(description="`next` of the page before")]

IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH},
    "description": "Within ten minutes, the same request with the same key is done once",
}

# JSON may spell a byte of text as six (`\u0041`), and a body has other members.
_BYTES_OF_A_BYTE, _OTHER_MEMBERS = 6, 4096


def context_of(connection: HTTPConnection) -> Context:
    """The context of the application that serves a request or a socket."""
    return cast("Context", connection.app.state.context)


def address_of(connection: HTTPConnection) -> str:
    """The client's address, as limits count it."""
    return limit_key(connection.client.host if connection.client else "")


def body_limit(text_bytes: int) -> int:
    """The size in bytes of the largest body that carries a text of `text_bytes`."""
    return _BYTES_OF_A_BYTE * text_bytes + _OTHER_MEMBERS


def parse_id(text: str) -> int | None:
    """The id that `text` spells in decimal digits; None: it spells no id."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= 19
    return int(text) if is_number and int(text) <= ID_MAX else None


def id_after(after: str | None, otherwise: int) -> int:
    """The id that the page before ended with; `otherwise` when there was none. Raises `InvalidInput`."""
    if after is None:
        return otherwise
    found = parse_id(after)
    if found is None:
        raise InvalidInput("the cursor was not given by a list")
    return found


def next_of(found: list[Any], limit: int) -> str | None:
    """The cursor of the page after the first `limit` of `found`; None when there is no such page."""
    return str(found[limit - 1].id) if len(found) > limit else None


class RequestModel(BaseModel):
    """A request body, in which unknown members are an error."""

    model_config = {"extra": "forbid"}


class AccountView(BaseModel):
    """An account; `name` is null when it was deleted.

    `mixed_scripts` are those of a name that mixes some, as codes of ISO 15924.
    """

    id: UUID
    name: str | None
    avatar_url: str | None
    mixed_scripts: tuple[str, ...]


def account_view(account_id: UUID, account: Account | None) -> AccountView:
    """An account as everybody sees it, including deleted ones."""
    return AccountView(
        id=account_id,
        name=account.name if account else None,
        avatar_url=account.avatar_url if account else None,
        mixed_scripts=mixed_scripts(account.name) if account else (),
    )
