"""Giving new codes to many shares: one by one, because a code may be taken."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from common.audit import Author
from common.errors import InvalidInput, NotFound
from share_service.administration.acting import give_code
from share_service.context import Context


@dataclass(slots=True)
class Codes:
    """New codes, shares that are not there, and the reasons why others could not get one."""

    given: dict[UUID, str] = field(default_factory=dict[UUID, str])
    missing: list[UUID] = field(default_factory=list[UUID])
    failed: dict[UUID, str] = field(default_factory=dict[UUID, str])


async def give_codes(context: Context, author: Author, share_ids: Sequence[UUID]) -> Codes:
    """Give each of these shares a new random code. Raises `Forbidden`, `CodesCrowded`."""
    codes = Codes()
    for share_id in dict.fromkeys(share_ids):
        try:
            codes.given[share_id] = await give_code(context, author, share_id)
        except NotFound:
            codes.missing.append(share_id)
        except InvalidInput as error:
            codes.failed[share_id] = error.message
    return codes
