"""`/v1/admin/audit`: the audit log, for administrators."""

from collections.abc import AsyncGenerator
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, IPvAnyAddress

from common.addresses import canonical
from common.audit import Entry, Wanted
from common.audit_log import NAME_LENGTH
from common.errors import Forbidden, InvalidInput
from common.http.authors import author_of
from common.http.callers import Administrator, administrator, of_request
from common.pages import PAGE_LIMIT, PAGE_SIZE, Cursor
from share_service.audit import reading
from share_service.edge import context_of

Name = Annotated[str | None, Query(min_length=1, max_length=NAME_LENGTH, pattern=r"^[^\x00]*$")]
LINES = "application/x-ndjson"

router = APIRouter(prefix="/v1/admin/audit", tags=["administration"], dependencies=[Depends(administrator)])


def wanted_of(
    actor: Annotated[Name, Query(description="An account's id, or its name at that time, whatever its case.")] = None,
    act: Annotated[
        str | None,
        Query(
            pattern=r"^[a-z_]{1,40}(\.[a-z_]{1,40})?$",
            description="Such as `share.end`; `share` stands for all acts on shares.",
        ),
    ] = None,
    target: Annotated[Name, Query(description="The id or the name of what was acted on, whatever its case.")] = None,
    address: IPvAnyAddress | None = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(description="The first moment after the acts.")] = None,
) -> Wanted:
    """The filters of a query. Raises `InvalidInput` if nothing can fit them."""
    if since and until and since >= until:
        raise InvalidInput("until: it is not after from")
    logged = canonical(str(address), "") if address else None
    return Wanted(actor=actor, act=act, target=target, address=logged, since=since, until=until)


Filters = Annotated[Wanted, Depends(wanted_of)]


class EntryView(BaseModel):
    """An act. `old`, `new`: the values that it changed; secrets are never among them."""

    id: UUID
    at: datetime
    act: str
    """Such as `share.end` or `policy.change`."""
    account_id: UUID
    account_name: str
    """The account's name at that time."""
    credential_id: UUID
    """The session or API key."""
    address: str
    request_id: str | None
    target_kind: str
    target_id: str | None
    target_name: str | None
    old: dict[str, Any] | None
    new: dict[str, Any] | None

    @staticmethod
    def of(entry: Entry) -> "EntryView":
        return EntryView(**asdict(entry))


class LogPage(BaseModel):
    """Acts, the newest first. `next`: the value of `after` for those that follow; null at the end."""

    entries: list[EntryView]
    next: str | None


@router.get("")
async def read_log(
    request: Request,
    identity: Administrator,
    wanted: Filters,
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_LIMIT)] = PAGE_SIZE,
) -> LogPage:
    """Acts of administrators, and changes of the policy, of rights and of keys, in all services."""
    author = author_of(request, identity)
    cursor = Cursor.parse(after) if after is not None else None
    found = await reading.read_log(context_of(request), author, wanted, cursor, limit + 1)
    page = found[:limit]
    more = str(Cursor(page[-1].at, page[-1].id)) if len(found) > limit else None
    return LogPage(entries=[EntryView.of(entry) for entry in page], next=more)


@router.get("/export", response_class=StreamingResponse, responses={200: {"content": {LINES: {}}}})
async def export_log(request: Request, identity: Administrator, wanted: Filters) -> StreamingResponse:
    """The whole log, or what the filters leave of it: an entry in JSON on each line, the newest first.

    If a service stops answering meanwhile, or the administrator's session ends, the answer breaks off without its end.
    """
    batches = reading.whole_log(context_of(request), author_of(request, identity), wanted)
    # An error that shows at once is the answer.
    first = await anext(batches, [])
    headers = {"Content-Disposition": 'attachment; filename="audit.jsonl"', "Cache-Control": "no-store"}
    return StreamingResponse(written_lines(request, first, batches), media_type=LINES, headers=headers)


async def written_lines(
    request: Request, first: list[Entry], batches: AsyncGenerator[list[Entry]]
) -> AsyncGenerator[bytes]:
    """The entries as lines. Raises what `of_request` raises, and `Forbidden`, once the request would be refused."""
    yield _written(first)
    async for batch in batches:
        if not (await of_request(request)).is_administrator:
            raise Forbidden
        yield _written(batch)


def _written(entries: list[Entry]) -> bytes:
    return b"".join(EntryView.of(entry).model_dump_json().encode() + b"\n" for entry in entries)
