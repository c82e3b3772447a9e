"""A collector of traces: it takes OTLP over HTTP, and keeps the steps that it got."""

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue


@dataclass(frozen=True, slots=True)
class Got:
    """A step, as the collector got it."""

    trace_id: str
    id: str
    parent_id: str
    name: str
    service: str
    attributes: dict[str, str]
    resource: dict[str, str]
    text: str
    """All of it, as the text form of protobuf."""


class Collector:
    """The steps that were collected so far."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.steps: list[Got] = []
        self.headers: dict[str, str] = {}
        self._changed = threading.Condition()

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        found = list(_steps(ExportTraceServiceRequest.FromString(body)))
        with self._changed:
            self.steps += found
            self.headers = headers
            self._changed.notify_all()

    def wait_for(self, found: Callable[[list[Got]], bool], seconds: float = 30) -> list[Got]:
        """The steps, as soon as they are complete."""
        with self._changed:
            assert self._changed.wait_for(lambda: found(self.steps), seconds), [step.name for step in self.steps]
            return list(self.steps)


def _steps(request: ExportTraceServiceRequest) -> Generator[Got]:
    for group in request.resource_spans:
        resource = _values(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Got(
                    trace_id=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    name=span.name,
                    service=resource["service.name"],
                    attributes=_values(span.attributes),
                    resource=resource,
                    text=f"{group.resource}{scope.scope}{span}",
                )


def _values(attributes: Iterable[KeyValue]) -> dict[str, str]:
    return {one.key: one.value.string_value or str(one.value.int_value) for one in attributes}


@contextmanager
def collecting() -> Generator[Collector]:
    """A collector at a free port of this machine."""

    class Taking(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            collector.take(body, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
