"""A short run of what `make fuzz` does at length: nothing that a client sends breaks anything or leaves anything."""

from contextlib import closing

import pytest

from deploy.local.stack import StartedStack
from tests.contract.traces import Traces
from tests.fuzz import documents, raw, sending
from tests.fuzz.judging import Report


def test_no_request_is_too_broken(stack: StartedStack) -> None:
    report = Report()
    with closing(Traces(stack)) as traces:
        cases = raw.cases(seed=1, damaged=4, authorization=documents.sign_up(stack.url))
        sending.send_all(stack.ports["gateway"], cases, report, traces.all, seconds=120)
    assert not report.complaints, "\n".join(report.complaints)
    assert report.asked > 250


@pytest.mark.long
def test_every_call_keeps_to_its_document(stack: StartedStack) -> None:
    report = Report()
    documents.fuzz(stack.url, report, number=1, examples=2, seconds=120)
    assert not report.complaints, "\n".join(report.complaints)
    assert report.asked > 300
