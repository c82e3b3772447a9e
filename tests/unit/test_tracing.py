"""Traces: nothing while they are off, a share of them by the random bits of their ids, and steps that tell no more."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from pydantic import ValidationError

from common import tracing
from common.settings import Settings
from common.tracing import recording

ROOT = Path(__file__).parents[2]
SDK = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto", "google.protobuf")
MODULES = ("common.http.app", "common.queue.serving")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(id_generator=recording.RequestIds(), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_recorder", recording.OpenTelemetry(provider))
    yield exporter
    provider.shutdown()


def only(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = exporter.get_finished_spans()
    return span


def test_nothing_of_the_sdk_is_imported_while_traces_are_off() -> None:
    """Its modules cost each process several megabytes, and a client library imports them if it may."""
    program = (
        "import sys; from common import start; start._leave_out_unused()\n"
        f"import {', '.join(MODULES)}\n"
        f"print([name for name in sys.modules if sys.modules[name] and name.startswith({SDK})])"
    )
    environment = {"PATH": "", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert ended.stdout == "[]\n"


def test_steps_cost_nothing_and_carry_nothing_while_traces_are_off() -> None:
    tracing.begin(Settings(), "test")
    tracing.begin(Settings(otel_exporter_otlp_endpoint="http://127.0.0.1:9", otel_sdk_disabled=True), "test")
    assert not tracing.is_on()
    assert tracing.entered("a", "server", carrier=None, request_id=uuid4().hex) is tracing.NO_STEP
    with tracing.step("a") as step:
        assert step.carried() == {}


def test_a_share_of_the_traces_is_that_share_of_all_requests() -> None:
    """The bits that a usual sampler looks at are not all random in the id of a request."""
    sampler = recording.Spread(TraceIdRatioBased(0.25))
    taken = sum(sampler.should_sample(None, uuid4().int, "a").decision.is_sampled() for _ in range(4000))
    assert 800 < taken < 1200


def test_a_trace_has_the_id_of_its_request_and_another_process_continues_it(recorded: InMemorySpanExporter) -> None:
    request_id = str(uuid4())
    with tracing.entered("first", "server", carrier=None, request_id=request_id), tracing.step("call") as call:
        carrier = call.carried()[tracing.CARRIER]
    with tracing.entered("second", "server", carrier=carrier, request_id=request_id):
        pass
    called, first, second = recorded.get_finished_spans()
    assert {span.context.trace_id for span in (called, first, second) if span.context} == {int(carrier[3:35], 16)}
    assert carrier[3:35] == request_id.replace("-", "")
    assert second.parent
    assert called.context
    assert second.parent.span_id == called.context.span_id


def test_a_trace_begins_with_a_request_and_with_nothing_else(recorded: InMemorySpanExporter) -> None:
    with tracing.step("a sweep's"), tracing.entered("a probe", "server", carrier=None, request_id=None):
        pass
    assert not recorded.get_finished_spans()
    # An id that is none, or a carrier that is none, is not believed.
    with tracing.entered("odd", "server", carrier="00-garbled", request_id="the request"):
        pass
    context = only(recorded).context
    assert context
    assert context.trace_id


def test_an_error_tells_its_type_and_no_more(recorded: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError), tracing.entered("a", "server", carrier=None, request_id=uuid4().hex):
        raise ValueError("secret")
    span = only(recorded)
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert "secret" not in span.to_json()
    assert not span.events


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("otel_exporter_otlp_endpoint", "collector:4318"),
        ("otel_exporter_otlp_headers", "secret"),
        ("otel_traces_sampler", "half"),
        ("otel_traces_sampler_arg", "2"),
    ],
)
def test_settings_that_the_sdk_would_pass_over_are_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({name: value})


def test_a_variable_without_a_value_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the specification of OpenTelemetry says, and as Compose's `${NAME:-}` makes them."""
    names = [name for name in Settings.model_fields if name.startswith("otel_")]
    for name in names:
        monkeypatch.setenv(name.upper(), "")
    assert {name: getattr(Settings(), name) for name in names} == {
        name: getattr(Settings.model_construct(), name) for name in names
    }
