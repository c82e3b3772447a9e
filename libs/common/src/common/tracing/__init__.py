"""Traces by OpenTelemetry: the steps of a request in all processes that it went through, and their times.

They are off unless `OTEL_EXPORTER_OTLP_ENDPOINT` is set. Then a step costs the call of a function, and nothing of
OpenTelemetry is imported.

A trace begins where a request comes from the gateway, and its id is the request's (`X-Request-Id`) without hyphens. A
call of another service and a message of the queue carry it on (`traceparent`). Everything else only adds steps to a
trace that is under way, so probes, scrapes and sweeps make none.

A step says what was done by whom, never to what: see `Attribute`. Paths, addresses of clients, statements with their
parameters, keys and names may be secret or personal, and so may be the messages of errors.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Protocol, Self

from common.settings import Settings

Kind = Literal["server", "client", "producer", "consumer", "internal"]
Attribute = Literal[
    "db.system.name",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "messaging.destination.name",
    "messaging.system",
    "server.address",
    "waystation.mirror.kind",
]
"""All that a step may tell, besides its name and the type of the error that ended it. `server.address` is that of
another service of the system."""
Attributes = Mapping[Attribute, str | int]
CARRIER = "traceparent"
"""The header of a request or of a message that says which trace it belongs to (W3C Trace Context)."""


class Step(Protocol):
    """A step of a trace, which ends with its block. An error that leaves the block makes it a failed one."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None: ...

    def rename(self, name: str) -> None: ...

    def note(self, attribute: Attribute, value: str | int) -> None: ...

    def carried(self) -> dict[str, str]:
        """The headers by which another process continues the trace after this step."""
        ...


class Recorder(Protocol):
    """Makes the steps while traces are on."""

    def step(self, name: str, kind: Kind, attributes: Attributes) -> Step: ...

    def entered(self, name: str, kind: Kind, attributes: Attributes, carrier: str | None, request_id: str) -> Step: ...

    def is_recording(self) -> bool: ...


class _NoStep:
    """Stands for every step while traces are off, or when this trace is not recorded."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        return

    def rename(self, name: str) -> None:
        return

    def note(self, attribute: Attribute, value: str | int) -> None:
        return

    def carried(self) -> dict[str, str]:
        return {}


NO_STEP: Step = _NoStep()
_NOTHING: Attributes = {}
_recorder: Recorder | None = None


def begin(settings: Settings, service: str) -> None:
    """Record the traces of this process from now on, if the settings say so. A second call does nothing."""
    global _recorder
    if _recorder is None and settings.otel_exporter_otlp_endpoint and not settings.otel_sdk_disabled:
        from common.tracing import recording

        _recorder = recording.started(settings, service)


def is_on() -> bool:
    """Whether this process records traces."""
    return _recorder is not None


def is_recording() -> bool:
    """Whether a step that begins here is recorded."""
    return _recorder is not None and _recorder.is_recording()


def step(name: str, kind: Kind = "client", attributes: Attributes = _NOTHING) -> Step:
    """A step of the trace under way, if there is one. Steps that begin inside its block are not below it."""
    return NO_STEP if _recorder is None else _recorder.step(name, kind, attributes)


def entered(
    name: str, kind: Kind, attributes: Attributes = _NOTHING, *, carrier: str | None, request_id: str | None
) -> Step:
    """The step by which this process takes a request or a message; all other steps in its block are below it.

    `carrier`: the value of the header `CARRIER`; without it a trace begins, whose id is the request's. A process that
    has neither begins none.
    """
    if _recorder is None or not (carrier or request_id):
        return NO_STEP
    return _recorder.entered(name, kind, attributes, carrier, request_id or "")
