"""Counts what the services of this process do, where all of them pass: at the drivers and at the client of calls."""

import re
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from celery import Celery
from psycopg.pq import TransactionStatus
from redis.asyncio import Redis

from common import asked_policy, db, valkey
from common.calls import Answer, Calls
from share_service.policy import source

WRITES = re.compile(r"\b(insert into|delete from|update \w+ set)\b")
REGULAR = ("/internal/policy", "/internal/service-tokens", "/internal/jwks")
"""Calls that a service makes every few seconds or minutes, whatever it is asked."""
FOREVER = 1e9


@dataclass(slots=True)
class Counts:
    """The requests to others since the last `clear`."""

    statements: int = 0
    commits: int = 0
    """Transactions, and statements outside of them that write."""
    commands: int = 0
    """Commands for Valkey."""
    calls: Counter[str] = field(default_factory=Counter[str])
    """Calls between services, by their paths."""
    messages: int = 0
    """Messages for workers."""

    def clear(self) -> None:
        """Begin again at nothing."""
        self.statements = self.commits = self.commands = self.messages = 0
        self.calls.clear()

    def numbers(self) -> tuple[int, int, int, int, int]:
        """Statements, commits, commands, calls, messages."""
        return self.statements, self.commits, self.commands, self.calls.total(), self.messages


@contextmanager
def counted() -> Generator[Counts]:
    """Count while the block runs. Nothing that is kept for a few seconds is read again meanwhile."""
    counts = Counts()
    with pytest.MonkeyPatch.context() as changed:
        for module, name in (
            (db, "RESTED_SECONDS"),
            (asked_policy, "FRESH_SECONDS"),
            (asked_policy, "STALE_SECONDS"),
            (source, "CACHE_SECONDS"),
        ):
            changed.setattr(module, name, FOREVER)
        _count_database(changed, counts)
        _count_others(changed, counts)
        yield counts


def _count_database(changed: pytest.MonkeyPatch, counts: Counts) -> None:
    execute, transaction = psycopg.AsyncCursor.execute, psycopg.AsyncConnection.transaction

    async def counting_execute(cursor: Any, query: Any, *given: Any, **options: Any) -> Any:
        counts.statements += 1
        is_alone = cursor.connection.info.transaction_status == TransactionStatus.IDLE
        if is_alone and WRITES.search(" ".join(str(query).split())):
            counts.commits += 1
        return await execute(cursor, query, *given, **options)

    def counting_transaction(connection: Any, *given: Any, **options: Any) -> Any:
        counts.commits += 1
        return transaction(connection, *given, **options)

    changed.setattr(psycopg.AsyncCursor, "execute", counting_execute)
    changed.setattr(psycopg.AsyncConnection, "transaction", counting_transaction)


def _count_others(changed: pytest.MonkeyPatch, counts: Counts) -> None:
    piped, command, call, message = (
        valkey.Pipe.call,
        Redis.execute_command,
        Calls.send,
        Celery.send_task,  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    )

    async def counting_pipe(pipe: Any, *given: Any) -> Any:
        counts.commands += 1
        return await piped(pipe, *given)

    async def counting_command(client: Any, *given: Any, **options: Any) -> Any:
        counts.commands += 1
        return await command(client, *given, **options)

    async def counting_call(calls: Any, method: str, url: str, **options: Any) -> Answer:
        path = "/" + url.partition("://")[2].partition("/")[2]
        if path not in REGULAR:
            counts.calls[re.sub(r"[0-9a-f]{32}|[0-9a-f-]{36}", "{id}", path)] += 1
        return await call(calls, method, url, **options)

    def counting_message(app: Any, *given: Any, **options: Any) -> Any:
        counts.messages += 1
        return message(app, *given, **options)

    changed.setattr(valkey.Pipe, "call", counting_pipe)
    changed.setattr(Redis, "execute_command", counting_command)
    changed.setattr(Calls, "send", counting_call)
    changed.setattr(Celery, "send_task", counting_message)
