"""Requests that schemathesis makes of the OpenAPI documents: valid ones, and such as break what the documents say."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz.judging import Report, failure

# A tus client's bytes.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

SERVICES = ("auth", "upload", "share", "chat")
PASSWORD = "correct horse battery"
ANSWER_SECONDS = 15
CHECKS = [content_type_conformance, response_schema_conformance, status_code_conformance]
LASTING = ("/events", "/socket")
"""The ends of paths whose answers last as long as somebody listens."""


Operation = APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]


class OutOfTime(Exception):
    """The time for this part is over."""


@dataclass
class Run:
    """The requests to send, the system that gets them, and for how long."""

    url: str
    report: Report
    number: int
    """The seed."""
    examples: int
    until: float
    account: dict[str, str] = field(default_factory=dict[str, str])
    """The headers of an account. It is another one when what was asked has ended its session."""

    def sign_up(self) -> None:
        self.account = {"Authorization": sign_up(self.url)}


def sign_up(url: str) -> str:
    """The `Authorization` of a new account."""
    asked = {"name": f"fuzz-{time.monotonic_ns()}", "password": PASSWORD}
    answer = httpx.post(f"{url}/v1/auth/register", json=asked, timeout=ANSWER_SECONDS)
    return f"Bearer {answer.raise_for_status().json()['token']}"


def fuzz(url: str, report: Report, *, number: int, examples: int, seconds: float) -> None:
    """Ask every call of every document, validly and not, `examples` times each, as a stranger and as an account.

    It ends when `seconds` are over. `number`: the seed.
    """
    run = Run(url, report, number, examples, time.monotonic() + seconds)
    run.sign_up()
    try:
        for operation in _operations(url):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                _ask_all(run, operation, mode)
    except OutOfTime:
        report.complain("documents", f"not done in {seconds:g} s")


def _operations(url: str) -> Iterator[Operation]:
    for service in SERVICES:
        document = schemathesis.openapi.from_url(f"{url}/v1/openapi/{service}.json")
        for found in document.get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()
            if not operation.path.endswith(LASTING):
                yield operation


def _ask_all(run: Run, operation: Operation, mode: GenerationMode) -> None:
    @seed(run.number)
    @settings(
        max_examples=run.examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        if time.monotonic() > run.until:
            raise OutOfTime
        _ask(run, case, {}, f"{mode.value}, a stranger")
        if _ask(run, case, run.account, f"{mode.value}, signed in") == 401:
            run.sign_up()

    # A call without parameters cannot be asked wrongly.
    with suppress(Unsatisfiable):
        ask()


def _ask(run: Run, case: Case, headers: dict[str, str], how: str) -> int:
    """Ask, and complain about the answer; its status, or 0."""
    about = f"{case.method} {case.path} ({how})"
    try:
        answer = case.call(base_url=run.url, headers=headers, timeout=ANSWER_SECONDS, allow_redirects=False)
    except requests.Timeout:
        run.report.complain(about, f"no answer in {ANSWER_SECONDS} s to {case.as_curl_command()}")
        return 0
    except (requests.RequestException, ValueError):
        # It could not be sent: a header with a line break, or an address that is none.
        return 0
    run.report.count(answer.status_code)
    if complaint := failure(answer.status_code, lambda name: answer.headers.get(name, [None])[0]):
        run.report.complain(about, f"{complaint} to {case.as_curl_command()}")
        return answer.status_code
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        found = [str(each)[:300] for each in group.exceptions]
        run.report.complain(about, f"{found} to {case.as_curl_command()}")
    return answer.status_code
