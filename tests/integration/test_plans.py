"""No statement reads a large table through, or sorts or drops many rows, in a database that is full.

PostgreSQL itself reports how it ran every statement, also those by which it checks foreign keys (auto_explain). Each
function of the `queries` modules is called with arguments that fit, by its parameters' names and types; a new one is
called as well.
"""

import importlib
import inspect
import json
import pkgutil
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.errors import Diagnostic

from auth_service.administration.model import Filter as AccountFilter
from auth_service.administration.model import Order as Accounts
from chat_service.administration.model import After
from chat_service.administration.model import Filter as RoomFilter
from chat_service.administration.model import Order as Rooms
from common import audit_log
from common.audit import Wanted
from common.db import Connection
from common.identity import Role
from common.pages import Cursor
from common.places import Place
from share_service.administration.model import Filter, Order
from share_service.administration.queries.listing import Part
from tests.conftest import ROOT, MakeDatabase
from tests.integration.full_databases import AUDITED, OWNER, filling, id_of
from upload_service.administration.model import FetchFilter
from upload_service.administration.model import Filter as FileFilter
from upload_service.administration.model import Order as Files
from upload_service.content.model import Quota
from upload_service.fetches.model import FetchState

ROWS = 8_000
MANY = 250
"""A statement that looks at more rows than this, and does not use them, has the wrong plan."""
SERVICES = ("auth", "chat", "share", "upload")
DEEP = datetime.now(UTC) - timedelta(days=365)
"""Where a deep page begins: behind all rows, which are not to be read for that."""
DIGEST = (5).to_bytes(32, "big")
REPORTING = (
    "load 'auto_explain'",
    "set auto_explain.log_min_duration = 0",
    "set auto_explain.log_analyze = on",
    "set auto_explain.log_timing = off",
    "set auto_explain.log_format = json",
    "set auto_explain.log_nested_statements = on",
    "set client_min_messages = log",
    "set jit = off",
)
# Statements that have to look at all there is, and why that is acceptable.
WHOLE = {
    "administration.queries.listing.search_shares": "puts what a keyword finds in order, or reads in that order",
    "administration.queries.search_files": "the same",
    "administration.queries.search_rooms": "the same",
    "administration.queries.search_accounts": "puts what a keyword finds in order, or reads in that order",
    "administration.queries.listing.sum_shares": "adds up what redemptions change, which is in no index",
    "directory.queries.count_accounts": "asked at the first start only",
    "quotas.queries.usage_of_all": "adds up what has changed since the sweep of the last seconds",
    "content.queries.usage.check_usage": "the same, where the place has a limit",
    "content.queries.usage.reserve": "the same",
    "quotas.queries.correct": "compares the sums with all files",
    "content.queries.blobs.count_ready": "asked once, by the command that moves the store",
    "content.queries.blobs.ready_blobs": "the same",
    "fetches.queries.waiting_fetches": "puts all open fetches in their order; an account has few of them",
    "rooms.queries.members.forget_account": "looks at the rooms of the account",
    "rooms.queries.invitations.delete_invitations_by": "looks at the invitations of the account",
}
# A new row is put at its place; there is nothing to choose.
INSERTS = ("insert_",)

Value = Any
Query = Callable[..., Awaitable[Any]]
ARGUMENTS: dict[str, Value] = {
    "owner": OWNER,
    "account": OWNER,
    "account_id": OWNER,
    "limit": 100,
    "created_at": DEEP,
    "mirror_id": 1,
    "mirror_ids": [1, 2],
    "sha256": DIGEST,
    "digest": DIGEST,
    "holder": DIGEST,
    "password_hash": None,
    "limits": Quota(2**60, 2**30, 2**60, 2**30),
    # Of `update_mirror`.
    "values": {
        "name": "mirror",
        "options": b"",
        "link_pattern": "",
        "accounts": None,
        "is_default": False,
        "is_enabled": True,
        "parallel": 2,
    },
}
"""The arguments that a name decides; a type decides the others."""
WORDS = [Filter(keyword="file 77"), Filter(keyword="fi")]
ORDERS: list[tuple[Order, Value]] = [
    (Order("created_at"), DEEP),
    (Order("expires_at"), DEEP),
    (Order("name"), "file 5"),
    (Order("size", descending=False), 5),
    (Order("code"), "code 5"),
]
"""Not that by downloads: a redemption changes them, so they are in no index, and that list is sorted."""
ACCOUNT_ORDERS: list[tuple[Accounts, Value]] = [
    (Accounts("created_at"), DEEP),
    (Accounts("name", descending=False), "account 5"),
    (Accounts("last_seen_at"), DEEP),
]
WANTED = [
    Wanted(),
    Wanted(actor=str(OWNER), until=DEEP),
    Wanted(actor="account 5"),
    Wanted(act="share.end"),
    Wanted(target="target 5"),
    Wanted(address="10.0.0.5", act="share"),
    Wanted(since=DEEP, until=DEEP + timedelta(days=1)),
]
VARIANTS: dict[str, list[dict[str, Value]]] = {
    "audit_log.list_entries": [{"wanted": one, "after": at} for one in WANTED for at in (None, Cursor(DEEP, OWNER))],
    "administration.queries.count_files": [{"wanted": wanted} for wanted in (FileFilter(), FileFilter("ile 77"))],
    "administration.queries.count_fetches": [
        {"wanted": wanted} for wanted in (FetchFilter(owner=OWNER), FetchFilter(state=FetchState.QUEUED))
    ],
    "administration.queries.list_rooms": [
        {"wanted": RoomFilter(), "order": Rooms(), "after": After(5, 5)},
        {"wanted": RoomFilter(owner=OWNER), "order": Rooms(), "after": None},
        {"wanted": RoomFilter(kind="public"), "order": Rooms("name"), "after": After("room 5", 5)},
    ],
    "administration.queries.search_rooms": [
        {"wanted": wanted, "order": Rooms(), "after": None} for wanted in (RoomFilter("oom 77"), RoomFilter("ro"))
    ],
    "administration.queries.list_files": [
        {"wanted": FileFilter(), "order": Files(), "after": Place(DEEP, OWNER)},
        {"wanted": FileFilter(owner=OWNER), "order": Files(), "after": None},
        {"wanted": FileFilter(), "order": Files("size", descending=False), "after": Place(5, OWNER)},
    ],
    "administration.queries.search_files": [
        {"wanted": wanted, "order": Files(), "after": None}
        for wanted in (FileFilter("ile 77"), FileFilter("fi"), FileFilter(sha256=DIGEST))
    ],
    "administration.queries.list_fetches": [
        {"wanted": wanted, "after": Cursor(DEEP, OWNER)}
        for wanted in (FetchFilter(), FetchFilter(owner=OWNER), FetchFilter(state=FetchState.QUEUED))
    ],
    "administration.queries.list_accounts": [
        {"wanted": AccountFilter(state="suspended"), "order": Accounts(), "after": None},
        {"wanted": AccountFilter(role=Role.ADMINISTRATOR), "order": Accounts("name"), "after": None},
        *({"wanted": AccountFilter(), "order": one, "after": Place(at, OWNER)} for one, at in ACCOUNT_ORDERS),
    ],
    "administration.queries.search_accounts": [
        {"wanted": AccountFilter("ount 77"), "order": Accounts(), "after": None},
        {"wanted": AccountFilter("ac"), "order": Accounts(), "after": None},
    ],
    "administration.queries.listing.list_shares": [
        {"wanted": Filter(), "order": Order(), "part": Part(100, offset=100)},
        {"wanted": Filter(status="expired", health="danger"), "order": Order(), "part": Part(100)},
        *({"wanted": Filter(), "order": order, "part": Part(100, after=Place(at, OWNER))} for order, at in ORDERS),
    ],
    "administration.queries.listing.search_shares": [
        {"wanted": wanted, "order": Order(), "part": Part(100)} for wanted in WORDS
    ],
    "administration.queries.listing.count_shares": [{"wanted": wanted} for wanted in (Filter(), *WORDS)],
}
"""The arguments of functions whose statements differ with them."""


def _queries(service: str) -> Iterator[tuple[str, Query]]:
    """All functions of the service that run a statement on a connection, by module and name."""
    if service in AUDITED:
        for function in (audit_log.list_entries, audit_log.delete_entries):
            yield f"audit_log.{function.__name__}", function
    package = importlib.import_module(f"{service}_service")
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if "queries" not in found.name.split("."):
            continue
        module = importlib.import_module(found.name)
        for name, function in inspect.getmembers(module, inspect.iscoroutinefunction):
            if function.__module__ == found.name and not name.startswith(INSERTS):
                yield f"{found.name.removeprefix(package.__name__ + '.')}.{name}", function


def _argument(name: str, kind: Any) -> Value:
    """A value for a parameter, or for the field of one."""
    return ARGUMENTS[name] if name in ARGUMENTS else _of_kind(kind)


def _of_kind(kind: Any) -> Value:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return inner[0]
    if origin in (Union, types.UnionType):
        # None often leaves a condition out, and the plan has to be right with it.
        return _of_kind(inner[0])
    if origin in (list, Sequence):
        return [_of_kind(inner[0])] * 3 if inner[0] is not UUID else [id_of(number) for number in range(1, 101)]
    if origin in (dict, Mapping):
        return {}
    if origin is tuple:
        # A cursor.
        return tuple(DEEP if one is datetime else _of_kind(one) for one in inner)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return cast("type[Any]", kind)(**{one.name: _argument(one.name, hints[one.name]) for one in fields(kind)})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    return OF_TYPE[kind]


OF_TYPE: dict[Any, Value] = {
    UUID: id_of(5),
    int: 5,
    str: "text",
    bool: True,
    bytes: DIGEST,
    datetime: datetime.now(UTC) + timedelta(minutes=1),
    timedelta: timedelta(hours=1),
}


@dataclass
class Reported:
    """The reports of PostgreSQL on the statements that ran on a connection."""

    connection: Connection
    plans: list[dict[str, Any]]

    def note(self, diagnostic: Diagnostic) -> None:
        _, found, plan = (diagnostic.message_primary or "").partition("plan:\n")
        if found:
            self.plans.append(json.loads(plan))

    async def faults_of(self, query: Query, given: Mapping[str, Value]) -> list[str]:
        """Complaints about the plans of a function's statements. Nothing that it changed remains."""
        self.plans.clear()
        hints = get_type_hints(query)
        names = [name for name in inspect.signature(query).parameters if name != "connection"]
        arguments = {name: given[name] if name in given else _argument(name, hints[name]) for name in names}
        # A made-up value may break a constraint.
        with suppress(psycopg.IntegrityError):
            async with self.connection.transaction(force_rollback=True):
                await query(self.connection, **arguments)
        is_count = query.__name__.startswith("count_")
        return [
            f"{fault}: {' '.join(plan['Query Text'].split())}"
            for plan in self.plans
            for fault in _faults(plan["Plan"], is_count=is_count)
        ]


def _faults(node: dict[str, Any], *, is_count: bool) -> Iterator[str]:
    """Nodes that look at many rows in vain. A count of what is waiting may look at all that is waiting."""
    loops, used = node["Actual Loops"], node["Actual Loops"] * node["Actual Rows"]
    each = sum(node.get(f"Rows Removed by {step}", 0) for step in ("Filter", "Join Filter", "Index Recheck"))
    dropped = each * loops
    below: list[dict[str, Any]] = node.get("Plans", [])
    if node["Node Type"] == "Seq Scan" and not is_count and used + dropped > MANY:
        yield f"{node['Relation Name']} is read through"
    # Looking up one row for each of many is no search.
    elif each >= 2 and dropped > max(MANY, 3 * used):
        yield f"{node['Node Type']} drops {dropped:.0f} rows of {node.get('Relation Name')}"
    if node["Node Type"] in ("Sort", "Incremental Sort") and sum(one["Actual Rows"] * loops for one in below) > MANY:
        yield "many rows are sorted"
    for one in below:
        yield from _faults(one, is_count=is_count)


MILLIONS = """
update pg_class set reltuples = reltuples * 100 where relnamespace = 'public'::regnamespace and reltuples > 0
"""
"""The numbers of rows that the planner assumes."""


@pytest.fixture(scope="module", params=SERVICES)
def full(request: pytest.FixtureRequest, make_database: MakeDatabase) -> tuple[str, str]:
    """A service, and the URL of its full database."""
    service = str(request.param)
    url = make_database(ROOT / "services" / service / "migrations")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(filling(service, ROWS).encode())
        connection.execute("vacuum analyze")
        connection.execute(MILLIONS)
    return service, url


@pytest.fixture(params=["force_custom_plan", "force_generic_plan"])
async def reported(request: pytest.FixtureRequest, full: tuple[str, str]) -> AsyncGenerator[Reported]:
    """A connection whose statements are planned for their arguments, or, as prepared ones may be, for any."""
    async with await AsyncConnection.connect(full[1], autocommit=True) as connection:
        for setting in (*REPORTING, f"set plan_cache_mode = {request.param}"):
            await connection.execute(setting.encode())
        reported = Reported(connection, [])
        connection.add_notice_handler(reported.note)
        yield reported


async def test_every_statement_finds_its_rows_by_an_index(full: tuple[str, str], reported: Reported) -> None:
    found = {
        name: [fault for given in VARIANTS.get(name, [{}]) for fault in await reported.faults_of(query, given)]
        for name, query in _queries(full[0])
    }
    assert "\n".join(f"{name}: {fault}" for name in found.keys() - WHOLE for fault in found[name]) == ""


REDEEMED = "select indexdef from pg_indexes where tablename = 'share' and indexdef ~ 'uses_left|used_count'"


def test_a_redemption_changes_no_index(full: tuple[str, str]) -> None:
    """Else it writes to every index of shares, and costs more the larger they are."""
    with psycopg.connect(full[1]) as connection:
        assert connection.execute(REDEEMED).fetchall() == []


FOREIGN_KEYS = """
select conrelid::regclass::text || '.' || attname from pg_constraint
join pg_attribute on attrelid = conrelid and attnum = conkey[1]
where contype = 'f' and not exists (
    select from pg_index where indrelid = conrelid and indkey[0] = conkey[1]
        and (indpred is null or pg_get_expr(indpred, indrelid) = '(' || attname || ' IS NOT NULL)'))
"""


def test_every_foreign_key_has_an_index(full: tuple[str, str]) -> None:
    """Else deleting what it refers to reads the table through, once for each row."""
    with psycopg.connect(full[1]) as connection:
        assert connection.execute(FOREIGN_KEYS).fetchall() == []


STATES = """
select distinct indrelid::regclass::text from pg_index join pg_attribute on attrelid = indrelid and attname = 'state'
where pg_get_expr(indpred, indrelid) like '%state%' and attstattarget is distinct from 0
"""


def test_nothing_is_believed_of_states(full: tuple[str, str]) -> None:
    """Statistics of them are outdated after each sweep; then a row is looked for in the partial index of its state."""
    with psycopg.connect(full[1]) as connection:
        assert connection.execute(STATES).fetchall() == []
