"""The numbers of all processes, and that dashboard, alerts and documents ask only for numbers that exist."""

import contextlib
import json
import re
import shutil
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml
from fastapi import APIRouter
from httpx import ASGITransport, AsyncClient, Client

# Importing the applications makes their numbers known.
import auth_service.app
import chat_service.app
import share_service.app
import upload_service.app
import upload_service.worker
from common import metrics
from common.http.app import create_app
from common.metrics import FAMILIES, MOST_SERIES, Counter, Gauge, Histogram
from common.queue.measuring import measured, serve_metrics
from common.settings import GatewaySettings

assert all((auth_service.app, chat_service.app, share_service.app, upload_service.app, upload_service.worker))

ROOT = Path(__file__).parents[2]
OBSERVE = ROOT / "deploy" / "observe"
RULES = yaml.safe_load((OBSERVE / "alerts.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((OBSERVE / "grafana/dashboards/waystation.json").read_text())
QUERIES = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
GATEWAYS = {"caddy_http_response_size_bytes_sum", "caddy_http_request_duration_seconds_count"}
"""The gateway's own numbers that are asked for; the tests of the gateway look for them."""


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_asks_for_numbers_and_labels_that_exist(query: str) -> None:
    known = {name: family for family in FAMILIES.values() for name in family.names()}
    asked = set(re.findall(r"\b(?:waystation|process|caddy)_[a-z_]+", query))
    assert asked - GATEWAYS <= known.keys()
    labels = {"service", "job", "le", "code", "handler"} | {
        label for name in asked - GATEWAYS for label in known[name].labels
    }
    told = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", query)
    told += [label for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(", ")]
    assert set(told) <= labels


def test_every_alert_has_a_line_about_what_to_do_and_every_number_a_description() -> None:
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `(Waystation\w+)` \|", text, re.MULTILINE)
    assert described == [rule["alert"] for rule in RULES]
    for family in FAMILIES.values():
        prefix = re.match("(waystation_database_|process_)", family.name)
        assert any(f"`{name}" in text for name in ((prefix[1],) if prefix else {family.name, *family.names()})), (
            family.name
        )


def test_the_profile_scrapes_every_part() -> None:
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    parts = {name for name, service in composed.items() if "waystation/" in service["image"]} - {
        "secrets",
        "migrate",
        "page",
        "operator",
    }
    jobs = {job["job_name"]: job for job in yaml.safe_load((OBSERVE / "prometheus.yml").read_text())["scrape_configs"]}
    services, workers = (jobs[name]["dns_sd_configs"][0] for name in ("services", "workers"))
    assert {*services["names"], *workers["names"]} == parts
    for name in workers["names"]:
        assert composed[name]["command"][-1] == str(workers["port"])


def test_traces_go_to_where_the_documents_say_and_grafana_reads_them_there() -> None:
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    settings = yaml.safe_load((OBSERVE / "jaeger.yml").read_text())
    (source,) = yaml.safe_load((OBSERVE / "grafana/provisioning/datasources/jaeger.yml").read_text())["datasources"]
    assert composed["jaeger"]["profiles"] == ["observe"]
    for name in (*("auth", "upload", "share", "chat"), "transfers-worker", "grafana"):
        assert set(composed["jaeger"]["networks"]) & set(composed[name]["networks"]), name
    taking = settings["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    shown = settings["extensions"]["jaeger_query"]["http"]["endpoint"].rpartition(":")[2]
    assert source["url"] == f"http://jaeger:{shown}"
    assert f"OTEL_EXPORTER_OTLP_ENDPOINT=http://jaeger:{taking}" in (ROOT / "docs" / "operate.md").read_text()
    pipeline = settings["service"]["pipelines"]["traces"]
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) <= settings[kind].keys()
    assert set(settings["service"]["extensions"]) == settings["extensions"].keys()


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_accepts_its_configuration_and_the_rules(tmp_path: Path) -> None:
    for file in ("alerts.yml", "prometheus.yml"):
        copy = (OBSERVE / file).read_text().replace("/etc/prometheus/", f"{tmp_path}/")
        (tmp_path / file).write_text(copy)
    subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], check=True, capture_output=True)


def test_numbers_are_written_as_openmetrics_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "FAMILIES", {})
    counted = Counter("tried", "Something tried.", ["how"])
    counted.add('by "hand"\n')
    counted.add('by "hand"\n', by=2)
    Gauge("depth", "A depth.", look=lambda: {(): 1.5})
    times = Histogram("taken_seconds", "Times.", bounds=(1.0, 2.5))
    for seconds in (0.5, 2.5, 9.0):
        times.observe(seconds)
    assert metrics.exposition().splitlines() == [
        "# TYPE depth gauge",
        "# HELP depth A depth.",
        "depth 1.5",
        "# TYPE taken_seconds histogram",
        "# HELP taken_seconds Times.",
        'taken_seconds_bucket{le="1.0"} 1',
        'taken_seconds_bucket{le="2.5"} 2',
        'taken_seconds_bucket{le="+Inf"} 3',
        "taken_seconds_count 3",
        "taken_seconds_sum 12",
        "# TYPE tried counter",
        "# HELP tried Something tried.",
        'tried_total{how="by \\"hand\\"\\n"} 3',
        "# EOF",
    ]


def test_a_label_with_many_values_does_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "FAMILIES", {})
    counted = Counter("bounded", "Bounded.", ["name"])
    for number in range(MOST_SERIES + 100):
        counted.add(str(number))
    assert len(list(counted.lines())) == MOST_SERIES + 1
    assert counted.value(metrics.OTHER) == 100


async def test_a_service_counts_requests_by_the_template_of_their_route() -> None:
    router = APIRouter()

    @router.get("/tried/{code}")
    async def tried(code: str) -> str:
        return code

    async def backlog() -> dict[str, int]:
        return {"tries to count": 7}

    app = create_app(
        name="tried",
        settings=GatewaySettings(),
        lifespan=lambda _: nullcontext(),
        routers=[router],
        checks={},
        backlog=backlog,
    )
    async with AsyncClient(transport=ASGITransport(app), base_url="http://tried") as client:
        assert (await client.get("/tried/5ec2e7")).status_code == 200
        assert (await client.get("/5ec2e7")).status_code == 404
        text = (await client.get("/internal/metrics")).text
    assert 'waystation_http_request_seconds_count{method="GET",route="/tried/{code}",status="2xx"} 1' in text
    assert 'waystation_backlog{kind="tries to count"} 7' in text
    assert "5ec2e7" not in text


def test_a_worker_tells_its_numbers_at_its_port_and_nothing_else() -> None:
    with contextlib.suppress(ValueError), measured("tried.fails"):
        raise ValueError
    server = serve_metrics(0, [], host="127.0.0.1")
    try:
        with Client(base_url=f"http://127.0.0.1:{server.server_address[1]}") as client:
            answer = client.get("/metrics")
            assert client.get("/").status_code == 404
    finally:
        server.shutdown()
        server.server_close()
    assert answer.headers["Content-Type"] == metrics.CONTENT_TYPE
    assert 'waystation_task_seconds_count{task="tried.fails",outcome="failed"} 1' in answer.text
