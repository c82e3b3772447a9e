"""The settings that docker-compose.yml passes to each process, compared with the settings classes."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.settings_reference import DEPLOYMENT, EXAMPLE, PROCESSES, ROOT, Way, all_settings

FILES = [ROOT / "docker-compose.yml", *sorted((ROOT / "deploy" / "compose").glob("*.yml"))]
TEXT = FILES[0].read_text(encoding="utf-8")
# YAML itself merges the shared blocks of environment variables, so this is the same document that Compose reads.
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
ENVIRONMENTS: dict[str, dict[str, Any]] = {name: service.get("environment", {}) for name, service in SERVICES.items()}


def given(process: str) -> set[str]:
    """The names of the settings that a process is given, by value or by file."""
    return {name.removesuffix("_FILE") for name in ENVIRONMENTS[process]}


@pytest.mark.parametrize("process", PROCESSES)
def test_every_setting_is_given_or_may_be_set_by_the_user(process: str) -> None:
    assert {setting.name for setting in all_settings(PROCESSES[process])} <= given(process)


@pytest.mark.parametrize("process", PROCESSES)
def test_settings_with_a_default_are_passed_on_and_the_others_are_provided(process: str) -> None:
    for setting in all_settings(PROCESSES[process]):
        value = ENVIRONMENTS[process].get(setting.name, "a file")
        if setting.default is None:
            assert value is not None, f"{setting.name} has no default and may be left out"
        else:
            assert value is None, f"{setting.name} does not come from the user's environment"


@pytest.mark.parametrize("process", PROCESSES)
def test_no_process_is_given_a_setting_that_its_service_does_not_have(process: str) -> None:
    service = process.removesuffix("-worker").replace("transfers", "upload")
    known = {setting.name for name in (service, f"{service}-worker") for setting in all_settings(PROCESSES[name])}
    assert given(process) <= known


def test_the_settings_of_the_deployment_have_the_documented_defaults() -> None:
    documented = {
        setting.name: setting.default
        for setting in DEPLOYMENT
        # The gateway has these defaults itself.
        if setting.only is not Way.EMBEDDED and not setting.name.startswith("GATEWAY_") and setting.name != "WEB_CSP"
    }
    used = {name: default for file in FILES for name, default in defaults_in(file)}
    # Engines elsewhere have no default; the container that makes the secrets gets what is set of them.
    for name in ENVIRONMENTS["secrets"]:
        assert documented.pop(name) is not None
    # Without a host name, there is an address for every one; without a folder of one's own, the volume of the page.
    assert used == documented | {"SITE_ADDRESS": ":8080", "WEB_ROOT": "page"}
    # With one, the gateway is meant for others.
    assert dict(defaults_in(ROOT / "deploy/compose/ports-tls.yml")) == {
        "BIND": "0.0.0.0",
        "HTTP_PORT": "80",
        "HTTPS_PORT": "443",
    }


def defaults_in(file: Path) -> list[tuple[str, str]]:
    return re.findall(r"\$\{([A-Z0-9_]+):-([^}]*)\}", file.read_text(encoding="utf-8"))


def test_env_example_names_everything_that_may_be_set() -> None:
    documented = re.findall(r"^#([A-Z0-9_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    used = {name for file in FILES for name in re.findall(r"\$\{([A-Z0-9_]+)", file.read_text(encoding="utf-8"))}
    for environment in ENVIRONMENTS.values():
        used |= {name for name, value in environment.items() if value is None}
    assert set(documented) == used
    assert len(documented) == len(used)


def test_credentials_come_from_files_alone() -> None:
    secret = re.compile(r"PASSWORD|SECRET|_KEY|DATABASE_URL|VALKEY_URL|BROKER_URL|ROOT_USER")
    for service, environment in ENVIRONMENTS.items():
        for name in environment:
            # Its environment holds the credentials of engines elsewhere, from which it makes the files of the others.
            assert service == "secrets" or not secret.search(name) or name.endswith("_FILE"), name
