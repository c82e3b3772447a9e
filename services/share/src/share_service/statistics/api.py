"""`/v1/admin/statistics`: what was sent, fetched, shared, refused and failed over time, for administrators."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict

from common.http.authors import author_of
from common.http.callers import Administrator, administrator
from share_service.edge import context_of
from share_service.statistics.model import Step
from share_service.statistics.reading import read_statistics

router = APIRouter(prefix="/v1/admin/statistics", tags=["administration"], dependencies=[Depends(administrator)])


class StatisticSeries(BaseModel):
    """Numbers, one for each step: of all, and of each dialect that has any."""

    model_config = ConfigDict(from_attributes=True)

    total: list[int]
    by_dialect: dict[str, list[int]]


class AllSeries(BaseModel):
    """Bytes and transfers in and out, shares made and ended, wrong codes, and answers of 500 and above."""

    bytes_in: StatisticSeries
    bytes_out: StatisticSeries
    """The bytes that downloads asked for; one that breaks off counts with all of them."""
    uploads: StatisticSeries
    downloads: StatisticSeries
    """Uses of shares, and downloads of files by their owners."""
    shares_made: StatisticSeries
    shares_ended: StatisticSeries
    codes_refused: StatisticSeries
    failures: StatisticSeries


class StatisticsView(BaseModel):
    """Series between two moments. `times`: the beginnings of the steps; days are those of UTC."""

    step: Step
    times: list[datetime]
    series: AllSeries


@router.get("")
async def read(
    request: Request,
    identity: Administrator,
    begin: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    end: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    step: Step = "hour",
) -> StatisticsView:
    """Sums by hours or days, at most 1,000: the last 24 hours or 30 days, unless `from` and `to` say otherwise.

    Hours are kept for 400 days, days for good. The present hour is up to a minute behind.
    """
    found = await read_statistics(context_of(request), author_of(request, identity), step, begin, end)
    series = {name: StatisticSeries.model_validate(one) for name, one in found.series.items()}
    return StatisticsView(step=found.step, times=found.times, series=AllSeries.model_validate(series))
