"""The load on the system while it is killed. A load is a function that does one thing from its beginning to its end.

To add one: write `async def name(world, chance)` that notes in the ledger what was acknowledged, and
name it here.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection

from tests.chaos.loads import (
    archived,
    counted,
    crowd,
    dropping,
    fetching,
    filecodebox,
    fileuploader,
    mirage,
    mirrorace,
    mirrored,
    own_files,
    resumable,
    talking,
)
from tests.chaos.world import World

Load = Callable[[World, random.Random], Awaitable[None]]

LOADS: dict[str, Load] = {
    "FileCodeBox: forms": filecodebox.form,
    "FileCodeBox: chunks": filecodebox.chunks,
    "FileCodeBox: presigned": filecodebox.presigned,
    "FileCodeBox: texts": filecodebox.text,
    "counted codes": counted.counted_file,
    "counted texts": counted.counted_text,
    "File Uploader: strangers": fileuploader.anonymous,
    "File Uploader: accounts": fileuploader.of_account,
    "Mirage: rooms": mirage.room,
    "Mirage: inbox": mirage.inbox,
    "MirrorAce: parts": mirrorace.upload,
    "MirrorAce: remote": mirrorace.remote,
    "rooms": talking.room,
    "crowds": crowd.crowd,
    "links that end": own_files.expiring,
    "files that are deleted": own_files.deleting,
    "mirrors": mirrored.mirrored,
    "fetches": fetching.fetch,
    "tus": resumable.tus,
    "archives": archived.archive,
    "curl": archived.curl,
    "drop-offs": dropping.drop_off,
}


async def everything(world: World, seed: int, *, without: Collection[str] = ()) -> None:
    """Do each of them once. What is refused, or does not come in time, is raised."""
    chosen = {name: load for name, load in LOADS.items() if name not in without}
    await asyncio.gather(*(load(world, random.Random(f"{seed} {name}")) for name, load in chosen.items()))
