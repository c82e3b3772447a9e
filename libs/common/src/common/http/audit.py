"""`/internal/audit`: the audit log of a service, for share, which shows those of all services as one."""

from typing import Annotated, Any, Protocol, cast

from fastapi import APIRouter, Body, Depends, Request
from pydantic import AwareDatetime, TypeAdapter

from common.audit import Entry, Wanted
from common.audit_log import delete_entries, list_entries
from common.db import Database
from common.http.internal import called_by
from common.pages import Cursor

BATCH = 1000
ENTRIES: TypeAdapter[list[Entry]] = TypeAdapter(list[Entry])
"""Entries as JSON."""

router = APIRouter(prefix="/internal/audit", include_in_schema=False, dependencies=[Depends(called_by("share"))])


class Stored(Protocol):
    """A context with a database."""

    @property
    def db(self) -> Database: ...


@router.post("/entries")
async def read_entries(
    request: Request,
    limit: Annotated[int, Body(ge=1, le=BATCH)],
    after: Annotated[str | None, Body()] = None,
    wanted: Annotated[Wanted | None, Body()] = None,
) -> dict[str, Any]:
    """Up to `limit` of the entries wanted that come after the cursor, the newest first."""
    async with _db(request).connection() as connection:
        found = await list_entries(connection, wanted or Wanted(), Cursor.parse(after) if after else None, limit)
    return {"entries": ENTRIES.dump_python(found, mode="json")}


@router.post("/forget")
async def forget_entries(request: Request, before: Annotated[AwareDatetime, Body(embed=True)]) -> dict[str, int]:
    """Delete some of the entries from before a moment. Returns their number."""
    async with _db(request).transaction() as connection:
        return {"deleted": await delete_entries(connection, before, BATCH)}


def _db(request: Request) -> Database:
    return cast("Stored", request.app.state.context).db
