"""Chooses the object store that the settings name."""

from pathlib import Path

from common.settings import StoreSettings
from common.store.interface import ObjectStore
from common.store.room import Room


def build_store(settings: StoreSettings) -> ObjectStore:
    """The store, not yet open. Only the modules of this kind of store are loaded."""
    folder = Path(settings.store_folder) if settings.store_folder else None
    room = Room(folder, settings.store_reserve_bytes)
    if settings.store == "folder":
        from common.store.folder import FolderStore

        assert folder is not None, "the settings checked that"
        return FolderStore(folder, room=room, synced=settings.store_sync)
    from common.store.s3 import S3Store

    return S3Store(
        settings.s3_endpoint,
        region=settings.s3_region,
        bucket=settings.s3_bucket,
        access_key=settings.s3_access_key.get_secret_value(),
        secret_key=settings.s3_secret_key.get_secret_value(),
        room=room,
    )
