"""What docker-compose.yml tells the services, without starting any."""

import json
import re
from typing import Any

import pytest
from pydantic_settings import BaseSettings

from auth_service.settings import AuthSettings
from auth_service.settings import WorkerSettings as AuthWorkerSettings
from chat_service.settings import ChatSettings
from chat_service.settings import WorkerSettings as ChatWorkerSettings
from share_service.settings import ShareSettings
from tests.e2e.compose import REPOSITORY, System
from upload_service.settings import UploadSettings

pytestmark = pytest.mark.docker

SETTINGS: dict[str, type[BaseSettings]] = {
    "auth": AuthSettings,
    "upload": UploadSettings,
    "share": ShareSettings,
    "chat": ChatSettings,
    "auth-worker": AuthWorkerSettings,
    "upload-worker": UploadSettings,
    "transfers-worker": UploadSettings,
    "share-worker": ShareSettings,
    "chat-worker": ChatWorkerSettings,
}


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    system = System(REPOSITORY, "waystation-config")
    return json.loads(system.compose("--env-file", "/dev/null", "config", "--format", "json"))["services"]


@pytest.mark.parametrize("service", SETTINGS)
def test_every_setting_is_given_or_may_be_set_by_the_user(service: str, services: dict[str, dict[str, Any]]) -> None:
    given = {name.removesuffix("_FILE") for name in services[service]["environment"]}
    assert {name.upper() for name in SETTINGS[service].model_fields} <= given


def test_env_example_names_everything_that_may_be_set(services: dict[str, dict[str, Any]]) -> None:
    documented = set(re.findall(r"^#([A-Z_]+)=", (REPOSITORY / ".env.example").read_text(), re.MULTILINE))
    used = set(re.findall(r"\$\{([A-Z_]+)", (REPOSITORY / "docker-compose.yml").read_text()))
    for service in services.values():
        used |= {name for name, value in service.get("environment", {}).items() if value is None}
    assert documented == used


def test_credentials_come_from_files_alone(services: dict[str, dict[str, Any]]) -> None:
    secret = re.compile(r"PASSWORD|SECRET|_KEY|DATABASE_URL|VALKEY_URL|BROKER_URL|ROOT_USER")
    for service in services.values():
        for name in service.get("environment", {}):
            assert not secret.search(name) or name.endswith("_FILE"), name
