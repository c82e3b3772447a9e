"""Sums over very many shares are added up once for all dashboards."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from common.audit import Author
from common.errors import Forbidden
from common.identity import Identity, Role
from common.remembered import Remembered
from share_service.administration import listing
from share_service.administration.model import Totals

SOMEBODY = UUID(int=1)
TODAY = datetime(2026, 1, 2, tzinfo=UTC)


def author(role: Role) -> Author:
    return Author(Identity(SOMEBODY, "somebody", role, SOMEBODY, None), "127.0.0.1")


@pytest.mark.parametrize(("shares", "added_up"), [(listing.MANY - 1, 3), (listing.MANY, 1)])
async def test_sums_over_many_shares_are_added_up_once_for_each_day(
    monkeypatch: pytest.MonkeyPatch, shares: int, added_up: int
) -> None:
    asked: list[datetime] = []

    async def sum_shares(_connection: object, _now: datetime, today: datetime, _yesterday: datetime) -> Totals:
        asked.append(today)
        return Totals(**{field.name: shares for field in fields(Totals)})

    @asynccontextmanager
    async def connection() -> AsyncGenerator[None]:
        yield None

    monkeypatch.setattr(listing.queries, "sum_shares", sum_shares)
    context: Any = SimpleNamespace(db=SimpleNamespace(connection=connection), sums=Remembered())
    administrator = author(Role.ADMINISTRATOR)
    found = await asyncio.gather(*(listing.sum_shares(context, administrator, TODAY) for _ in range(3)))
    assert [totals.shares for totals in found] == [shares] * 3
    assert asked == [TODAY] * added_up
    # FileCodeBox's pages count the days of another time zone.
    other = TODAY - timedelta(hours=8)
    await listing.sum_shares(context, administrator, other)
    assert asked[added_up:] == [other]
    with pytest.raises(Forbidden):
        await listing.sum_shares(context, author(Role.USER), TODAY)
