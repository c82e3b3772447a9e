"""Numbers about the whole system over time: what was sent, fetched, shared, refused and failed, by dialect.

Use cases count in the memory of their process, which costs a microsecond. A thread hands the sums over to Valkey, from
which the share service takes them. A sum has a name, an hour and a dialect, and tells nothing about any person, file or
share.

A batch that is handed over has an id, so that a repeated one counts once. A process that is killed loses what it
counted in the last `PAUSE_SECONDS`.
"""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

from redis import Redis
from redis.exceptions import RedisError

from common import logging
from common.ids import new_id
from common.valkey import client_options

Name = Literal[
    "bytes_in", "bytes_out", "uploads", "downloads", "shares_made", "shares_ended", "codes_refused", "failures"
]
NAMES: tuple[Name, ...] = (
    *("bytes_in", "bytes_out", "uploads", "downloads"),
    *("shares_made", "shares_ended", "codes_refused", "failures"),
)
NATIVE, FETCH, SYSTEM = "native", "fetch", "system"
"""Calls of the native API, fetches of URLs, and what the system does by itself, such as ending what has expired."""
DIALECTS = frozenset({"curl", "filecodebox", "fileuploader", "mirage", "mirrorace", "uploads", NATIVE, FETCH, SYSTEM})
"""uploads: tus, and the draft of the IETF. The others are protocols of their own, by the names of their modules."""
HEADER = "X-Dialect"
"""The header by which a service tells another one in which dialect it was asked."""
COUNTS_KEY, BATCH_KEY = "statistics:counts", "statistics:batch:"
PAUSE_SECONDS = 2.0
BATCH_SECONDS = 3600
"""How long the id of a batch is remembered."""
MOST_SUMS = 5_000
"""The most sums that a process keeps while Valkey is away; what comes after that is not counted."""
HOUR = 3600

_DIALECT: ContextVar[Any] = ContextVar("dialect", default=SYSTEM)
# ARGV: seconds, then fields and numbers. Adds all of them, unless this batch was added before.
_ADD = """
if redis.call('SET', KEYS[2], '', 'NX', 'EX', ARGV[1]) then
  for n = 2, #ARGV, 2 do
    redis.call('HINCRBY', KEYS[1], ARGV[n], ARGV[n + 1])
  end
end
"""

Sums = dict[str, int]
"""Numbers by their fields: the hour in seconds since 1970, the name and the dialect."""


class Tally:
    """The sums of this process that are not handed over yet."""

    def __init__(self) -> None:
        self.counted = threading.Event()
        self._lock = threading.Lock()
        self._sums: Sums = {}

    def add(self, name: Name, number: int, dialect: str) -> None:
        """Add to a sum of this hour."""
        field = f"{int(time.time()) // HOUR * HOUR}:{name}:{dialect}"
        with self._lock:
            if field in self._sums or len(self._sums) < MOST_SUMS:
                self._sums[field] = self._sums.get(field, 0) + number
        self.counted.set()

    def take(self) -> Sums:
        """All sums, which begin again at nothing."""
        with self._lock:
            taken, self._sums = self._sums, {}
            self.counted.clear()
        return taken


TALLY = Tally()


def count(name: Name, number: int = 1) -> None:
    """Count something that a use case did, for the dialect of the request that asked for it."""
    if number:
        TALLY.add(name, number, dialect())


def dialect() -> str:
    """The dialect of the present request; `SYSTEM` if there is none."""
    found = _DIALECT.get()
    return found if isinstance(found, str) else found()


@contextmanager
def asked_in(found: Any) -> Generator[None]:
    """Whatever is counted in the block belongs to this dialect, or to that which the function `found` returns then."""
    token = _DIALECT.set(found)
    try:
        yield
    finally:
        _DIALECT.reset(token)


class Reporter:
    """Hands the sums of this process over to one Valkey, in a thread of its own."""

    def __init__(self, valkey_url: str) -> None:
        self._redis: Any = Redis.from_url(valkey_url, **client_options())
        self._ending = threading.Event()
        self._batch: tuple[str, Sums] | None = None
        self._is_new = False
        self._thread = threading.Thread(target=self._run, name="statistics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hand over what is left, and end."""
        self._ending.set()
        TALLY.counted.set()
        self._thread.join()
        self._redis.close()

    def _run(self) -> None:
        while not self._ending.is_set():
            if self._batch is None:
                TALLY.counted.wait()
            self._ending.wait(PAUSE_SECONDS)
            self._hand_over()
        self._hand_over()
        if self._batch is None:
            # The counts since then, if that was a batch whose answer was lost.
            self._hand_over()

    def _hand_over(self) -> None:
        """Hand over a batch. One whose answer was lost keeps its id, and is handed over again with the next."""
        if self._batch is None:
            taken = TALLY.take()
            if not taken:
                return
            self._batch, self._is_new = (new_id().hex, taken), True
        (batch_id, sums), is_first = self._batch, self._is_new
        self._is_new = False
        values = [part for field, number in sums.items() for part in (field, number)]
        try:
            self._redis.eval(_ADD, 2, COUNTS_KEY, BATCH_KEY + batch_id, BATCH_SECONDS, *values)
        except RedisError as error:
            if is_first:
                logging.get(__name__).warning("sums are handed over later", error=type(error).__name__)
        else:
            self._batch = None


@contextmanager
def handed_over(valkey_url: str) -> Generator[None]:
    """Hand over the counts of this process while the block runs, and the rest at its end."""
    with _OPENING:
        _USERS[valkey_url] = _USERS.get(valkey_url, 0) + 1
        if valkey_url not in _REPORTERS:
            _REPORTERS[valkey_url] = Reporter(valkey_url)
    try:
        yield
    finally:
        with _OPENING:
            _USERS[valkey_url] -= 1
            ended = _REPORTERS.pop(valkey_url) if not _USERS[valkey_url] else None
        if ended:
            ended.close()


_OPENING = threading.Lock()
_REPORTERS: dict[str, Reporter] = {}
_USERS: dict[str, int] = {}
