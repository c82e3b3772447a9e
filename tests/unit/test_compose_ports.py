"""What docker-compose.yml opens to the machine that it runs on."""

from typing import Any

import yaml

from deploy.settings_reference import ROOT

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))[
    "services"
]


def test_only_the_gateway_is_published_and_only_on_this_machine() -> None:
    extended = {name: service["extends"]["file"] for name, service in SERVICES.items() if "extends" in service}
    assert extended == {
        "gateway": "deploy/compose/ports${SITE_ADDRESS:+-tls}.yml",
        # These add no ports, only a profile.
        "postgres": "deploy/compose/engine${DATABASE_URL_ADMIN:+-outside}.yml",
        "valkey": "deploy/compose/engine${VALKEY_URL:+-outside}.yml",
        "store": "deploy/compose/engine${S3_ENDPOINT:+-outside}.yml",
    }
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"grafana": ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"]}
    assert SERVICES["grafana"]["profiles"] == ["observe"]
    ports = yaml.safe_load((ROOT / "deploy/compose/ports.yml").read_text(encoding="utf-8"))["services"]
    assert ports == {"gateway": {"ports": ["${BIND:-127.0.0.1}:${PORT:-8080}:8080"]}}


def test_no_container_depends_on_one_that_an_upgrade_or_a_setting_replaces() -> None:
    """Compose would stop it for as long as the other is replaced."""
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= {"postgres", "valkey", "store"}, name
    for name in ("gateway", "postgres", "valkey", "store"):
        assert "depends_on" not in SERVICES[name], name


def test_no_container_listens_on_the_network_of_the_machine() -> None:
    assert {service.get("network_mode") for service in SERVICES.values()} <= {None, "none"}
