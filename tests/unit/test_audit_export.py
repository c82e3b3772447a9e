"""An export of the audit log breaks off when the session of its administrator ends, or the role."""

from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from common.audit import Entry
from common.errors import DomainError, Forbidden
from common.identity import Identity, Role, TokenRevoked
from share_service.audit.api import written_lines

SOMEBODY = UUID(int=1)


def identity(role: Role) -> Identity:
    return Identity(SOMEBODY, "somebody", role, SOMEBODY, None)


class Ending:
    """Knows an administrator, whose next look-up ends as it is told."""

    def __init__(self, end: Identity | DomainError) -> None:
        self._known: list[Identity | DomainError] = [identity(Role.ADMINISTRATOR), end]

    async def of_header(self, _: str | None) -> Identity:
        found = self._known.pop(0)
        if isinstance(found, DomainError):
            raise found
        return found


async def batches() -> AsyncGenerator[list[Entry]]:
    while True:
        yield []


@pytest.mark.parametrize(
    ("end", "error"), [(TokenRevoked(), TokenRevoked), (identity(Role.USER), Forbidden)], ids=["session", "role"]
)
async def test_an_export_ends_with_the_right_to_it(end: Identity | DomainError, error: type[DomainError]) -> None:
    request: Any = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(identities=Ending(end))), headers={})
    lines = written_lines(request, [], batches())
    assert await anext(lines) == b""
    assert await anext(lines) == b""
    with pytest.raises(error):
        await anext(lines)
