"""One request is followed by its id, from the gateway to the mirror: in the logs, and as one trace without a secret."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import httpx
import pytest

from common.tracing import Attribute
from deploy.local.stack import LOG_NAME, StartedStack
from tests.conftest import running_stack
from tests.contract.filecodebox import wire
from tests.e2e.collector import Collector, Got, collecting
from tests.e2e.mirrors import administrator, defined
from tests.e2e.test_account_faults import PASSWORD, register, somebody
from tests.integration.upload.mirrors.mirror_front import background
from tests.integration.upload.mirrors.mirror_servers import SERVERS

pytestmark = pytest.mark.long

MIB = 1024 * 1024
CHUNKS = 8
"""Sent from the last to the first, more are held back than the service keeps for a digest in passing."""
COMPLETE = "POST /chunk/upload/complete/{upload_id}"


@dataclass(frozen=True, slots=True)
class Flow:
    """The acts of a sender and a receiver while everything was recorded."""

    request_id: str
    """The id of the request that completed the upload in chunks."""
    secrets: list[str]
    """All that no log and no trace may have."""
    log: str
    steps: list[Got]
    headers: dict[str, str]

    def lines(self, request_id: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.log.splitlines()]
        return [line for line in found if line.get("request_id") == request_id]

    def trace(self) -> list[Got]:
        return [step for step in self.steps if step.trace_id == self.request_id.replace("-", "")]


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    settings = {
        "LOG_LEVEL": "info",
        "LOG_FORMAT": "json",
        "GATEWAY_ACCESS_LOG": "on",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20the-collectors-own",
    }
    with collecting() as collector:
        stack_settings = settings | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        folder = tmp_path_factory.mktemp("mirror")
        with (
            running_stack(tmp_path_factory, **stack_settings) as stack,
            httpx.Client(base_url=stack.url, timeout=60) as http,
            background() as running,
            SERVERS["webdav"](folder, running) as server,
        ):
            headers = administrator(stack, http)
            sender = somebody(http)
            account = sender.account().json()["id"]
            name = f"mirror-{secrets.token_hex(4)}"
            with defined(http, headers, name, server, accounts=[account], is_default=True):
                # Some options are words that anybody uses.
                options = [value for value in server.options.values() if len(value) > 10]
                known = [sender.name, sender.token, name, PASSWORD, headers["Authorization"], *options]
                yield flown(stack, sender.http, sender.header, collector, known)


def flown(
    stack: StartedStack, http: httpx.Client, header: dict[str, str], collector: Collector, known: list[str]
) -> Flow:
    """Use the system with secrets of all kinds, until the file is on its mirror."""
    text, file_name, wrong = (secrets.token_hex(8) for _ in range(3))
    code = wire.share_text(http, text)
    assert http.get("/share/select/", params={"code": code}).status_code == 200
    assert http.get(f"/c/{code}", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}).status_code == 200
    http.get(f"/c/{wrong}", params={"key": wrong}, headers={"X-Share-Password": wrong, "Cookie": wrong})
    register(http, wrong)
    body = wire.content(CHUNKS * MIB * 5)
    with httpx.Client(base_url=stack.url, timeout=60, headers=header) as sender:
        upload_id = wire.init(sender, body, f"{file_name}.bin")
        for index, chunk in reversed(list(enumerate(wire.slices(body, 5 * MIB)))):
            wire.send_chunk(sender, upload_id, index, chunk)
        completed = wire.complete(sender, upload_id)
    sent = wire.detail(completed)["code"]
    assert wire.fetch(http, sent) == body
    request_id = completed.headers["X-Request-Id"]
    trace_id = request_id.replace("-", "")
    steps = collector.wait_for(
        lambda steps: any(step.trace_id == trace_id and step.name == "upload.replicate_blob" for step in steps)
    )
    log = (stack.folder / LOG_NAME).read_text(encoding="utf-8")
    used = [code, text, file_name, wrong, upload_id, sent, wire.sha256(body), "a" * 32, *known]
    return Flow(request_id, used, log, steps, collector.headers)


def test_the_lines_about_a_request_lead_from_the_gateway_to_the_mirror(flow: Flow) -> None:
    lines = flow.lines(flow.request_id)
    (gateway,) = (line for line in lines if str(line.get("logger", "")).startswith("http.log.access"))
    tasks = [line for line in lines if line is not gateway]
    assert (gateway["request"]["method"], gateway["route"]) == ("POST", COMPLETE.partition(" ")[2])
    assert (gateway["service"], gateway["status"]) == ("upload", 200)
    assert [line["event"] for line in tasks] == ["task done"] * 2
    assert {(line["service"], line["task"]) for line in tasks} == {
        ("upload-worker", "upload.verify_blob"),
        ("transfers-worker", "upload.replicate_blob"),
    }


def test_every_line_is_json_and_every_routed_request_has_its_template(flow: Flow) -> None:
    lines = [json.loads(line) for line in flow.log.splitlines()]
    assert {"stack", "postgres", "upload-worker"} <= {line.get("service") for line in lines}
    access = [line for line in lines if str(line.get("logger", "")).startswith("http.log.access")]
    assert {"/chunk/upload/chunk/{upload_id}/{index}", "/share/select/"} <= {line.get("route") for line in access}
    assert all(line["route"] for line in access)
    # A sweep runs every few seconds, and says nothing.
    assert not [line for line in lines if "sweep" in str(line.get("task"))]


def test_one_trace_leads_from_the_request_through_the_task_to_the_mirror(flow: Flow) -> None:
    trace = flow.trace()
    by_id = {step.id: step for step in trace}

    def above(step: Got) -> list[str]:
        """The names from the first step of the trace to this one."""
        return [*(above(by_id[step.parent_id]) if step.parent_id else []), step.name]

    sent = [COMPLETE, "send upload.verify_blob", "upload.verify_blob"]
    copied = [*sent, "send upload.replicate_blob", "upload.replicate_blob"]
    found = [above(step) for step in trace]
    assert [*sent, "store read_back"] in found
    assert [*copied, "mirror write"] in found
    assert [*copied, "mirror read"] in found
    assert {step.service for step in trace} == {"upload", "share", "worker"}
    # The code was made by another service.
    asked = [names for names in found if names[-1].startswith("POST /internal/")]
    assert asked
    assert all(names[0] == COMPLETE and len(names) == 3 for names in asked)
    assert {"postgresql", "valkey"} <= {step.attributes.get("db.system.name") for step in trace}
    assert {step.attributes.get("waystation.mirror.kind") for step in trace} == {None, "webdav"}


def test_no_trace_and_no_line_has_anything_secret_or_personal(flow: Flow) -> None:
    told = set(get_args(Attribute)) | {"error.type"}
    for step in flow.steps:
        assert step.attributes.keys() <= told, step.name
        assert [secret for secret in flow.secrets if secret in step.text] == [], step.name
    assert [secret for secret in flow.secrets if secret in flow.log] == []
    assert flow.headers["authorization"] == "Bearer the-collectors-own"


def test_probes_scrapes_and_sweeps_make_no_traces(flow: Flow) -> None:
    first = {step.name for step in flow.steps if not step.parent_id}
    assert first
    assert not [name for name in first if "/internal/" in name or "sweep" in name]
