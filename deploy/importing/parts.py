"""The parts of the running system that an import works with."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

from chat_service.build import build as build_chat
from chat_service.filters import Texts
from chat_service.settings import ChatSettings
from common.db import Database
from common.policy import Policy
from common.settings import StoreSettings
from deploy.backup.stacks import stack_of
from deploy.backup.systems import System
from deploy.importing.people import House
from share_service.policy.queries import newest_revision
from upload_service.build import build, opened
from upload_service.content.context import Context, unlimited
from upload_service.move import Sweepers
from upload_service.settings import UploadSettings

POOL_SIZE = 2
NOBODY = "http://127.0.0.1:9"
"""An address at which nothing listens."""


@asynccontextmanager
async def files_and_shares() -> AsyncGenerator[tuple[Context, Database]]:
    """An upload service that calls no other and sends no task, and the database of shares. Sweeps find what is left."""
    system = stack_of().running()
    # Imported files count as those of guests, and no quota refuses them: the operator decides.
    context = replace(build(_upload_settings(system), Sweepers(), pool_size=POOL_SIZE), limits_for=unlimited)
    async with opened(context), _database(system, "share") as shares:
        yield context, shares


@asynccontextmanager
async def people_and_rooms() -> AsyncGenerator[House]:
    """The database of accounts, and a chat service that calls no other, with the limits of the policy in force."""
    system = stack_of().running()
    settings = _chat_settings(system)
    async with _database(system, "share") as shares, shares.connection() as connection:
        # Each of its values was checked when it was stored.
        policy = Policy.model_construct(**(await newest_revision(connection)).changes)
    bounds = settings.bounds()
    process = build_chat(settings, pool_size=POOL_SIZE, texts=Texts(settings.filters()), bounds=bounds)
    async with process.running() as chat, _database(system, "auth") as accounts:
        yield House(accounts, chat, bounds.under(policy))


@asynccontextmanager
async def _database(system: System, service: str) -> AsyncGenerator[Database]:
    url = system.database_url(service, system.credentials[f"postgres_{service}"])
    database = Database(url, pool_size=POOL_SIZE)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def _upload_settings(system: System) -> UploadSettings:
    known = system.credentials
    values: dict[str, object] = {
        "database_url": system.database_url("upload", known["postgres_upload"]),
        "valkey_url": system.valkey_url,
        "broker_url": system.valkey_url,
        "mirror_key": known["mirror_key"],
        "service_secret": known["service_upload"],
        **dict.fromkeys(("auth_url", "share_url", "chat_url"), NOBODY),
        **{name: getattr(system.store, name) for name in StoreSettings.model_fields},
    }
    return UploadSettings.model_validate(values)


def _chat_settings(system: System) -> ChatSettings:
    """Its limits and filters come from the environment of this command."""
    known = system.credentials
    values = {
        "database_url": system.database_url("chat", known["postgres_chat"]),
        "valkey_url": system.valkey_url,
        "service_secret": known["service_chat"],
        **dict.fromkeys(("auth_url", "share_url"), NOBODY),
    }
    return ChatSettings.model_validate(values)
