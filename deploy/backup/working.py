"""The operator's acts: make a backup, check one, forget old ones, and make a system of one."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from common.store import ObjectStore
from common.store.building import build_store
from common.version import VERSION
from deploy.backup import contents, databases, messages
from deploy.backup.contents import Copied
from deploy.backup.errors import BackupError, Damaged
from deploy.backup.folder import (
    CONTENTS,
    CREDENTIALS,
    MESSAGES,
    Backup,
    BackupFolder,
    Manifest,
    digest_of,
    read_contents,
)
from deploy.backup.messages import OlderValkey
from deploy.backup.sealing import seal, unseal
from deploy.backup.systems import SERVICES, System
from deploy.local.places import migrations

GIB = 1024**3

Say = Callable[[str], None]


async def make(system: System, folder: BackupFolder, passphrase: str, say: Say) -> Manifest:
    """Make a backup of the running system. Raises `BackupError`; then there is none."""
    sealed = seal(json.dumps(dict(system.credentials)).encode(), passphrase)
    with folder.writing() as made:
        made.joinpath(CREDENTIALS).write_bytes(sealed)
        async with _opened(system) as store, databases.moment(system) as held:
            created_at = folder.new_name()
            # Rooms may only know more than the databases, never less.
            rooms = await messages.dump(system.valkey_url, made / MESSAGES)
            dumps = await databases.dump(system, held, made)
            say(f"databases and {rooms} keys of rooms are copied")
            applied, listed = await held.migrations(), folder.unfinished / CONTENTS
            await contents.list_all(held, listed)
            await held.let_go()
            with (made / CONTENTS).open("w", encoding="ascii") as names:
                waiting = read_contents(listed)
                copied = await contents.save(waiting, store, folder, names, lambda now: say(_progress(now)))
            await held.still_holds()
        manifest = Manifest(
            version=VERSION,
            created_at=created_at,
            migrations=applied,
            files={name: digest_of(made / name) or "" for name in (CREDENTIALS, MESSAGES, CONTENTS, *dumps)},
            count=copied.count,
            size=copied.size,
            damaged=sorted(copied.damaged),
        )
        path = folder.publish(made, manifest)
    say(f"complete: {path.name}, {copied.count} contents of {copied.size / GIB:.2f} GiB, {copied.new} of them new")
    return manifest


def check(folder: BackupFolder, name: str | None, say: Say) -> Manifest:
    """Read all of a backup, and compare it with its digests. Raises `Damaged`."""
    backup = folder.backup(name)
    manifest = backup.check()
    for content in backup.contents():
        if digest_of(folder.content(content.sha256)) != content.sha256:
            # Backups copy a content once, so it would stay as it is.
            raise Damaged(
                f"the backup {backup.path.name} is damaged: the content {content.sha256} is not as it was; remove its "
                "file, and the next backup copies it again"
            )
    say(f"whole: {backup.path.name}, {manifest.count} contents of {manifest.size / GIB:.2f} GiB")
    return manifest


def credentials_of(backup: Backup, passphrase: str) -> dict[str, str]:
    """The credentials in a backup, after a look at the whole of it.

    Raises `Damaged`, `WrongPassphrase`, and `BackupError` if a later version made the backup.
    """
    manifest = backup.check()
    known = {name: [path.name for path in migrations(name).glob("*.sql")] for name in SERVICES}
    if later := databases.later_migrations(manifest.migrations, known):
        raise BackupError(
            f"the backup is of a later version ({manifest.version}), and this one does not know {later[0]}"
        )
    return json.loads(unseal((backup.path / CREDENTIALS).read_bytes(), passphrase))


async def restore(system: System, backup: Backup, say: Say) -> Copied:
    """Fill the engines and the store of a system that was never started. Raises `BackupError`."""
    await databases.refuse_used(system)
    try:
        async with _opened(system) as store:
            await store.prepare()
            copied = await contents.restore(backup.contents(), backup.folder, store, lambda now: say(_progress(now)))
    except contents.NotAsKept as error:
        raise Damaged(f"the backup is damaged: {error.message}") from None
    # Last, because a system whose databases are there looks whole.
    try:
        rooms = await messages.restore(system.valkey_url, backup.path / MESSAGES)
    except OlderValkey:
        rooms = 0
        say("this Valkey is older than that of the backup, so the messages of rooms are left out")
    await databases.restore(system, backup.path)
    say(f"restored: {backup.path.name}, {copied.count} contents of {copied.size / GIB:.2f} GiB, {rooms} keys of rooms")
    return copied


@asynccontextmanager
async def _opened(system: System) -> AsyncGenerator[ObjectStore]:
    # Nothing is written but what a restoration has to, so no reserve is kept for anything else.
    store = build_store(system.store.model_copy(update={"store_reserve_bytes": 0}))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def _progress(copied: Copied) -> str:
    return f"{copied.count} contents, {copied.size / GIB:.2f} GiB"
