"""The system of Compose, seen from the container of its operator. `deploy/compose/restore` prepares a new one."""

import json
import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from common.settings import StoreSettings, ValkeySettings
from common.store.building import build_store
from deploy.backup.systems import System
from deploy.local import binaries
from deploy.local.binaries import MissingEngine


class OperatorSettings(StoreSettings, ValkeySettings):
    """What the operator may reach: everything."""

    admin_database_url: SecretStr
    credentials: SecretStr
    """All credentials of the vault, as JSON."""


class Composed:
    """The system of Compose."""

    def running(self) -> System:
        settings = OperatorSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
        return System(
            settings.admin_database_url.get_secret_value(),
            settings.valkey_url.get_secret_value(),
            build_store(settings.model_copy(update={"store_reserve_bytes": 0})),
            json.loads(settings.credentials.get_secret_value()),
            _program,
        )

    def refuse_used(self) -> None:
        """Nothing: the databases of a system that was started say so themselves."""

    @asynccontextmanager
    async def new(self, known: Mapping[str, str]) -> AsyncGenerator[System]:
        yield self.running()


def _program(name: str) -> Path:
    try:
        return binaries.postgres(name)
    except MissingEngine:
        return Path(shutil.which(name) or name)
