"""A share of items as its sender announces it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from common.errors import Forbidden, InvalidInput, TooLarge
from common.ids import new_id
from common.names import clean_name
from common.policy import Policy, SizeRefused
from share_service.items.model import ITEM_LIMIT, NOTHING, Held, NewItem

TEXT_LIMIT = 222 * 1024
"""The most bytes of a text."""
TEXTS_LIMIT = 4 * 1024 * 1024
"""The most bytes of all texts of a share, which are shown together."""
TEXT_NAME = "text.txt"


class GuestsRefused(Forbidden):
    """Sending needs an account here."""

    code = "guests_refused"


class TooManyItems(TooLarge):
    """A share has at most 1,000 items."""

    code = "too_many_items"


@dataclass(frozen=True, slots=True)
class Announced:
    """An item as a sender announces it: a file to come by name and size, a text, or a file of the account by its id."""

    name: str | None = None
    size: int | None = None
    text: str | None = None
    file_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a share, besides its items."""

    title: str | None = None
    message: str | None = None
    expire_style: str | None = None
    """None: the first one that the policy offers."""
    expire_value: int = 1
    password: str | None = None
    code: str | None = None
    """The code that the sender chose."""
    has_words: bool = False
    """Whether the code is to consist of words."""


def to_come(announced: Announced, policy: Policy) -> NewItem:
    """The new item for a file to come, or for a text. Raises `InvalidInput`, `TooLarge`, `TypeRefused`."""
    if announced.text is not None:
        content = announced.text.encode()
        if len(content) > TEXT_LIMIT:
            raise TooLarge(f"a text has at most {TEXT_LIMIT} bytes; send a longer one as a file")
        name = clean_name(announced.name or TEXT_NAME)
        return NewItem(new_id(), "text", name, len(content), announced.text, hashlib.sha256(content).digest())
    if announced.name is None or announced.size is None:
        raise InvalidInput("an item has a name and a size, a text, or a file_id")
    name = clean_name(announced.name)
    policy.check_type(name)
    policy.check_size(announced.size)
    return NewItem(new_id(), "file", name, announced.size)


def check_sizes(new: Sequence[NewItem], policy: Policy, held: Held = NOTHING) -> None:
    """Check the sizes of all items of a share that has some. Raises `TooManyItems`, `TooLarge`, `SizeRefused`."""
    if held.number + len(new) > ITEM_LIMIT:
        raise TooManyItems
    if held.text_size + sum(item.size for item in new if item.kind == "text") > TEXTS_LIMIT:
        raise TooLarge(f"the texts of a share have at most {TEXTS_LIMIT} bytes; send more as files")
    if held.size + sum(item.size for item in new) > policy.upload_size:
        raise SizeRefused(policy.upload_size)
