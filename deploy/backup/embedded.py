"""The system of `make run`."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from pydantic import SecretStr

from common.settings import StoreSettings
from deploy.backup.errors import BackupError
from deploy.backup.systems import System
from deploy.local import binaries, credentials, plan
from deploy.local import log as logs
from deploy.local import store as stores
from deploy.local.binaries import MissingEngine
from deploy.local.credentials import Credentials
from deploy.local.engines import EnginesFailed, running_engines
from deploy.local.files import FolderInUse, locked, write_private
from deploy.local.identity import NoIdentity
from deploy.local.postgres import InitFailed
from deploy.local.processes import started
from deploy.local.services import Addresses
from deploy.local.settings import StackSettings
from deploy.local.state import RunState
from deploy.local.store import StoreElsewhere


class Embedded:
    """The system on one data folder."""

    def __init__(self, settings: StackSettings) -> None:
        self._settings = settings

    def running(self) -> System:
        data = self._settings.data
        state = RunState.load(data)
        if state is None or not state.ready or started(state.supervisor) is None:
            raise BackupError(f"no system runs on {data}; start it, or set DATA to its folder")
        try:
            stores.check(data, self._settings.store)
        except StoreElsewhere as error:
            raise BackupError(str(error)) from None
        known = credentials.load(data)
        return self._system(known, plan.addresses(self._settings, known, state.ports))

    def refuse_used(self) -> None:
        data = self._settings.data
        if data.exists() and any(entry.name != "lost+found" for entry in data.iterdir()):
            raise BackupError(f"{data} is not empty; set DATA to a folder that does not exist")
        if self._settings.store == "folder" and (self._settings.files / "objects").exists():
            raise BackupError(f"{self._settings.files} holds the files of another system")

    @asynccontextmanager
    async def new(self, known: Mapping[str, str]) -> AsyncGenerator[System]:
        settings = self._settings
        try:
            with locked(settings.data):
                # A start is refused until this is complete.
                stores.begin_restoring(settings.data)
                kept = {name: known[name] for name in credentials.NAMES if name in known}
                write_private(credentials.file(settings.data), json.dumps(kept, indent=2) + "\n")
                everything = credentials.load(settings.data)
                async with running_engines(settings, everything, logs.for_terminal()) as services:
                    yield self._system(everything, services.addresses)
                stores.record(settings.data, settings.store)
                stores.finish_restoring(settings.data)
        except (FolderInUse, MissingEngine, NoIdentity, InitFailed, EnginesFailed) as error:
            raise BackupError(str(error)) from None

    def _system(self, known: Credentials, addresses: Addresses) -> System:
        return System(addresses.database_admin_url, addresses.valkey_url, self._store(), known, binaries.postgres)

    def _store(self) -> StoreSettings:
        settings = self._settings
        if settings.store == "folder":
            return StoreSettings(store="folder", store_folder=str(settings.files))
        assert settings.s3 is not None, "the settings checked that"
        return StoreSettings(
            store="s3",
            s3_endpoint=settings.s3.endpoint,
            s3_region=settings.s3.region,
            s3_bucket=settings.s3.bucket,
            s3_access_key=SecretStr(settings.s3.access_key),
            s3_secret_key=SecretStr(settings.s3.secret_key),
        )
