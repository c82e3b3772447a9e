"""What docker-compose.yml opens to the machine that it runs on."""

from typing import Any

import yaml

from deploy.settings_reference import ROOT

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))[
    "services"
]


def test_only_the_gateway_is_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"gateway": ["${BIND:-127.0.0.1}:${PORT:-8080}:8080"]}


def test_no_container_listens_on_the_network_of_the_machine() -> None:
    assert {service.get("network_mode") for service in SERVICES.values()} <= {None, "none"}
