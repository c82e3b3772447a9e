"""Records steps with OpenTelemetry's SDK, and exports them by OTLP. The only module of ours that imports OpenTelemetry.

The provider is not made the global one, so no library adds spans of its own: those of FastAPI have paths and queries.

The SDK itself reads the settings of sampling, and the standard variables that are no settings here, such as
`OTEL_BSP_…`, `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_TIMEOUT`.
"""

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Sampler, SamplingResult
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.re import parse_env_headers
from opentelemetry.util.types import Attributes as SpanAttributes

from common.ids import new_id
from common.settings import Settings
from common.tracing import CARRIER, NO_STEP, Attribute, Attributes, Kind, Step
from common.version import VERSION

TRACES_PATH = "/v1/traces"
END_SECONDS = 3.0
"""The longest that the end of a process waits until the collector has the last steps."""
_KINDS = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
_PROPAGATOR = TraceContextTextMapPropagator()
_REQUEST: ContextVar[int] = ContextVar("the id of the trace that begins", default=0)
_RANDOM_BITS = 56
"""Of a request's id, a random UUID, these lowest bits are random: some of those above say that it is one."""


class RequestIds(RandomIdGenerator):
    """Gives a trace the id of its request."""

    def generate_trace_id(self) -> int:
        return _REQUEST.get() or super().generate_trace_id()


class Spread(Sampler):
    """Lets another sampler decide by the bits of the id that are random, as a share of the traces needs it."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(
        self,
        parent_context: contexts.Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: SpanAttributes = None,
        links: Sequence[Link] | None = None,
        trace_state: trace.TraceState | None = None,
    ) -> SamplingResult:
        spread = (trace_id << (64 - _RANDOM_BITS)) & (2**64 - 1)
        return self._sampler.should_sample(parent_context, spread, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        return self._sampler.get_description()


class RecordedStep:
    """A step that is recorded. It is the current one of its block only if it `holds` others."""

    def __init__(self, span: Span, *, holds: bool = False) -> None:
        self._span, self._holds = span, holds
        self._token: Token[contexts.Context] | None = None

    def __enter__(self) -> Self:
        if self._holds:
            self._token = contexts.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        if kind and not issubclass(kind, (GeneratorExit, asyncio.CancelledError)):
            # Its message may name what nobody may read.
            self._span.set_attribute("error.type", kind.__name__)
            self._span.set_status(Status(StatusCode.ERROR))
        if self._token:
            contexts.detach(self._token)
        self._span.end()

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, attribute: Attribute, value: str | int) -> None:
        self._span.set_attribute(attribute, value)
        if attribute == "http.response.status_code" and int(value) >= 500:
            self._span.set_status(Status(StatusCode.ERROR))

    def carried(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        _PROPAGATOR.inject(headers, trace.set_span_in_context(self._span))
        return {CARRIER: headers[CARRIER]}


class OpenTelemetry:
    """The recorder of a process."""

    def __init__(self, provider: TracerProvider) -> None:
        provider.sampler = Spread(provider.sampler)
        self._tracer = provider.get_tracer("waystation")

    def step(self, name: str, kind: Kind, attributes: Attributes) -> Step:
        if not self.is_recording():
            return NO_STEP
        return RecordedStep(self._begun(name, kind, attributes, None))

    def entered(self, name: str, kind: Kind, attributes: Attributes, carrier: str | None, request_id: str) -> Step:
        above = _PROPAGATOR.extract({CARRIER: carrier}, contexts.Context()) if carrier else contexts.Context()
        token = _REQUEST.set(_number_of(request_id))
        try:
            return RecordedStep(self._begun(name, kind, attributes, above), holds=True)
        finally:
            _REQUEST.reset(token)

    def is_recording(self) -> bool:
        return trace.get_current_span().is_recording()

    def _begun(self, name: str, kind: Kind, attributes: Attributes, above: contexts.Context | None) -> Span:
        noted: Any = attributes
        return self._tracer.start_span(
            name,
            above,
            _KINDS[kind],
            noted,
            record_exception=False,
            set_status_on_exception=False,
        )


def started(settings: Settings, service: str) -> OpenTelemetry:
    """The recorder of a service. What it has recorded is sent every few seconds, and at the end of the process."""
    for name in [name for name, value in os.environ.items() if name.startswith("OTEL_") and not value]:
        # OpenTelemetry's specification takes it for one that is not set; the SDK warns of some.
        del os.environ[name]
    headers = parse_env_headers(settings.otel_exporter_otlp_headers.get_secret_value(), liberal=True)
    # It warns of each attempt while the collector is away, and then says once that it has given up.
    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)
    exporter = OTLPSpanExporter(
        endpoint=settings.otel_exporter_otlp_endpoint.rstrip("/") + TRACES_PATH, headers=headers
    )
    provider = TracerProvider(
        resource=Resource.create(
            {
                "service.name": service,
                "service.namespace": "waystation",
                "service.version": VERSION,
                "service.instance.id": new_id().hex,
            }
        ),
        id_generator=RequestIds(),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _send_rest_at_end(provider)
    return OpenTelemetry(provider)


def _send_rest_at_end(provider: TracerProvider) -> None:
    """Send what is left when the process ends, but wait for a collector that is away no longer than a moment."""
    ending = threading.Event()

    def send() -> None:
        ending.wait()
        provider.shutdown()

    def end() -> None:
        ending.set()
        thread.join(END_SECONDS)

    # A thread cannot be made at that time any more.
    thread = threading.Thread(target=send, name="traces-end", daemon=True)
    thread.start()
    atexit.register(end)


def _number_of(request_id: str) -> int:
    try:
        return UUID(request_id).int
    except ValueError:
        return 0
