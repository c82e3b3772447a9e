"""The system of Compose, seen from the container of its operator. `deploy/compose/restore` prepares a new one."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from pydantic import SecretStr

from common.settings import StoreSettings, ValkeySettings
from deploy.backup.systems import System
from deploy.local import binaries


class OperatorSettings(StoreSettings, ValkeySettings):
    """The addresses and credentials of everything, which the operator may reach."""

    admin_database_url: SecretStr
    restoring_valkey_url: SecretStr
    """The same database for a user that may restore keys."""
    credentials: SecretStr
    """All credentials of the vault, as JSON."""


class Composed:
    """The system of Compose."""

    def running(self) -> System:
        settings = _settings()
        return _system(settings, settings.valkey_url)

    def refuse_used(self) -> None:
        """Nothing: the databases of a system that was started say so themselves."""

    @asynccontextmanager
    async def new(self, known: Mapping[str, str]) -> AsyncGenerator[System]:
        settings = _settings()
        yield _system(settings, settings.restoring_valkey_url)


def _settings() -> OperatorSettings:
    return OperatorSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)


def _system(settings: OperatorSettings, valkey_url: SecretStr) -> System:
    return System(
        settings.admin_database_url.get_secret_value(),
        valkey_url.get_secret_value(),
        settings,
        json.loads(settings.credentials.get_secret_value()),
        binaries.postgres,
    )
