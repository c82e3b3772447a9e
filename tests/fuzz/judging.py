"""Rules that hold for every answer."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.raw_http import RawAnswer

MEMBERS = {"filecodebox": "detail", "fileuploader": "message", "mirage": "error", "mirrorace": "result"}
"""The member of an error that holds its text, by dialect."""
NOT_SPOKEN = (501, 505)
"""The gateway's statuses for a transfer encoding or HTTP version that it does not know. They are no failures."""


@dataclass
class Report:
    """The requests that were sent, and every complaint about an answer."""

    asked: int = 0
    statuses: dict[int, int] = field(default_factory=dict[int, int])
    complaints: list[str] = field(default_factory=list[str])

    def count(self, status: int) -> None:
        self.asked += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def complain(self, about: str, complaint: str) -> None:
        self.complaints.append(f"{about}: {complaint}")


def failure(status: int, header: Callable[[str], str | None]) -> str | None:
    """A complaint if the system failed. What is down for a while says when to come back."""
    if status < 500 or (status == 503 and header("retry-after")):
        return None
    # The disk of the machine may be full; Mirage has no other status for a file that cannot be stored.
    return None if status == 507 else f"status {status}"


def raw_complaint(answer: RawAnswer, dialect: str, *, readable: bool) -> str | None:
    """A complaint about the answer to a raw request. `readable`: the gateway understood the request's head."""
    if not readable and answer.status in NOT_SPOKEN:
        return None
    if complaint := failure(answer.status, answer.header):
        return f"{complaint}: {answer.body[:200]!r}"
    if answer.header("x-injected") is not None:
        return "a header of the answer was injected"
    # The bytes after a head that could not be read may count as another request, and have another answer.
    length = answer.header("content-length") if readable else None
    if length is not None and len(answer.body) != int(length):
        return f"{len(answer.body)} bytes follow where {length} were announced"
    if readable and (answer.status >= 400 or dialect == "mirrorace"):
        return _shape_complaint(answer, dialect)
    return None


def _shape_complaint(answer: RawAnswer, dialect: str) -> str | None:
    if dialect == "curl":
        return _text_complaint(answer)
    try:
        body = json.loads(answer.body)
    except ValueError:
        return f"an error that is no JSON: {answer.body[:200]!r}"
    if dialect != "native":
        return None if MEMBERS[dialect] in body else f"an error in another shape: {body}"
    # The gateway's own answers to a body that it cannot read have no code.
    return None if {"detail", "code"} <= set(body) or set(body) == {"detail"} else f"an error in another shape: {body}"


def _text_complaint(answer: RawAnswer) -> str | None:
    """A complaint unless an error is one line of text, or the gateway's own."""
    if (answer.header("content-type") or "").startswith("text/plain"):
        lines = answer.body.decode().splitlines(keepends=True)
        return None if len(lines) == 1 and lines[0].endswith("\n") else f"an error in another shape: {lines}"
    return None if b'"detail"' in answer.body else f"an error in another shape: {answer.body[:200]!r}"
