"""The raw requests, sent one after the other, and what they left behind."""

import time
from collections.abc import Callable, Iterable

from tests.contract.traces import PATIENCE_SECONDS
from tests.fuzz.judging import Report, raw_complaint
from tests.fuzz.raw import Case
from tests.raw_http import Hung, exchange

ANSWER_SECONDS = 10
PATIENCE = 0.5
"""The seconds after which a client that has no answer dies: most of these requests are not complete."""
SLOW_SECONDS = 50
"""How long the system may take to give up a client that sends nothing more."""
KEPT = ("share ", "file ", "blob ", "object ")
"""The traces of an upload that succeeded."""


def send_all(port: int, cases: Iterable[Case], report: Report, traces: Callable[[], set[str]], seconds: float) -> None:
    """Send every case to the gateway, for at most `seconds`, and complain about answers and about what is left."""
    before, successes, until = traces(), 0, time.monotonic() + seconds
    for case in cases:
        about = f"{case.name}, {case.target.line.decode()}"
        if time.monotonic() > until:
            report.complain(about, f"not reached in {seconds:g} s")
            break
        try:
            answer = exchange(port, case.sent, break_off=PATIENCE, seconds=ANSWER_SECONDS)
        except Hung as hung:
            report.complain(about, f"no answer in {ANSWER_SECONDS} s; {hung}")
            continue
        report.count(answer.status)
        # An upload whose client died may have been complete.
        successes += 200 <= answer.status < 300 or answer.broke_off
        # A client that is gone reads no answer.
        readable = case.readable and not answer.broke_off
        if answer.status and (complaint := raw_complaint(answer, case.target.dialect, readable=readable)):
            report.complain(about, complaint)
    _look_for_left(report, traces, before, successes)


def send_slowly(port: int, cases: Iterable[Case], report: Report) -> None:
    """Send all but the end of each request and wait: the system gives up in time, by an answer or without."""
    for case in cases:
        about = f"slow: {case.name}, {case.target.line.decode()}"
        try:
            answer = exchange(port, case.sent, seconds=SLOW_SECONDS)
        except Hung:
            report.complain(about, f"neither an answer nor an end in {SLOW_SECONDS} s")
            continue
        report.count(answer.status)
        if answer.status and (complaint := raw_complaint(answer, case.target.dialect, readable=case.readable)):
            report.complain(about, complaint)


def _look_for_left(report: Report, traces: Callable[[], set[str]], before: set[str], successes: int) -> None:
    """Complain about everything that is left besides what succeeded uploads keep."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        left = traces() - before
        surplus = {name for name in left if not name.startswith((*KEPT, "session "))}
        counts = {kind: sum(name.startswith(kind) for name in left) for kind in KEPT}
        # A session that was begun by JSON is open for a day; it was answered with success.
        counts["session "] = sum(name.startswith("session ") for name in left)
        if not surplus and max(counts.values()) <= successes:
            return
        if time.monotonic() > until:
            report.complain("what is left", f"{sorted(surplus)[:5]}, {counts} after {successes} successes")
            return
        time.sleep(0.2)
