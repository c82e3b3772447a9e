"""The workers that are there, and the messages that wait for them, as the broker's Valkey knows them.

Every worker says every few seconds that it is there. It does so in a thread of its own, so that a broker that hangs
does not keep it from its work.
"""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis
from redis.exceptions import RedisError

from common.errors import Unavailable
from common.valkey import client_options

SEEN_KEY = "workers:seen"
SAY_SECONDS, GONE_SECONDS, FORGET_SECONDS = 5.0, 20.0, 3600.0
QUEUES = ("auth", "chat", "share", "upload", "transfers")
PREFIX = "celery:"


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue: the messages that no worker has taken, the age of the oldest in seconds, and the workers."""

    name: str
    depth: int
    oldest_seconds: float | None
    workers: int


class Presence:
    """Says for the workers of a process that they are there, as long as they are."""

    def __init__(self, broker_url: str, queues: Sequence[str], is_alive: Callable[[], bool]) -> None:
        self._redis: Any = Redis.from_url(broker_url, **client_options())
        self._members = [f"{queue}@{socket.gethostname()}:{os.getpid()}" for queue in queues]
        self._is_alive = is_alive
        self._ending = threading.Event()
        threading.Thread(target=self._run, name="presence", daemon=True).start()

    def end(self) -> None:
        """Say nothing more."""
        self._ending.set()

    def _run(self) -> None:
        while not self._ending.wait(SAY_SECONDS):
            if self._is_alive():
                self._say()

    def _say(self) -> None:
        now = time.time()
        try:
            self._redis.zadd(SEEN_KEY, dict.fromkeys(self._members, now))
            self._redis.zremrangebyscore(SEEN_KEY, "-inf", now - FORGET_SECONDS)
        except RedisError:
            # A look finds nobody there, and that is how it is.
            return


def look_at_queues(broker_url: str) -> list[QueueState]:
    """All queues. Raises `Unavailable`."""
    now = time.time()
    try:
        with Redis.from_url(broker_url, **client_options()) as redis:
            client = cast("Any", redis)
            seen: list[bytes] = client.zrangebyscore(SEEN_KEY, now - GONE_SECONDS, "+inf")
            workers = [member.decode().partition("@")[0] for member in seen]
            return [
                QueueState(
                    queue,
                    client.llen(PREFIX + queue),
                    _age(client.lindex(PREFIX + queue, -1), now),
                    workers.count(queue),
                )
                for queue in QUEUES
            ]
    except RedisError as error:
        raise Unavailable from error


def _age(message: bytes | None, now: float) -> float | None:
    """The age of a message; None if there is none, or if it does not say when it was sent."""
    sent = json.loads(message).get("headers", {}).get("sent_at") if message else None
    return max(0.0, now - sent) if isinstance(sent, int | float) else None
