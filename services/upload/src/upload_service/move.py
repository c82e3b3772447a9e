"""`python -m upload_service.move folder|s3`: copy all blobs into the other store.

STORE names the store that holds them, and the variables of both stores are set. Nothing else of the upload service may
run. The command can be killed and repeated. It ends with status 1 if blobs are damaged, unless --leave-damaged is
given. Afterwards STORE has to be changed; the store that is left keeps everything until somebody removes it.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from uuid import UUID

from common import logging
from common.errors import DomainError
from common.store.building import build_store
from upload_service.build import SERVICE, build, opened
from upload_service.content.moving import Moved, move_blobs, settle_uploads
from upload_service.settings import UploadSettings

GIB = 1024**3
POOL_SIZE = 4


class Sweepers:
    """The queue of a system that does not run: its sweeps request what is due when it runs again."""

    async def verify(self, session_id: UUID) -> None: ...

    async def verify_again(self, session_ids: Sequence[UUID]) -> int:
        return 0

    async def replicate(self, replica_id: UUID) -> None: ...

    async def restore(self, blob_id: UUID) -> None: ...

    async def fetch(self, fetch_id: UUID) -> None: ...


async def _move(settings: UploadSettings, to: str) -> Moved:
    target = build_store(settings.model_copy(update={"store": to}))
    context = build(settings, Sweepers(), pool_size=POOL_SIZE)
    async with opened(context):
        await target.open()
        try:
            await target.prepare()
            await settle_uploads(context)
            return await move_blobs(context, target, _tell)
        finally:
            await target.close()


def _tell(moved: Moved, total: int) -> None:
    done = moved.copied + moved.were_there + len(moved.damaged)
    print(f"{done} of {total} contents, {moved.size / GIB:.2f} GiB copied", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Copy all files into the other store.")
    parser.add_argument("to", choices=("folder", "s3"))
    parser.add_argument("--leave-damaged", action="store_true", help="succeed although damaged contents are left out")
    options = parser.parse_args()
    settings = UploadSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    logging.configure(level=settings.log_level, format=settings.log_format, service=SERVICE)
    if settings.store == options.to:
        print(f"STORE is {options.to} already", file=sys.stderr)
        return 2
    try:
        moved = asyncio.run(_move(settings, options.to))
    except ExceptionGroup as group:
        return _failed(group.exceptions[0])
    except DomainError as error:
        return _failed(error)
    for blob in moved.damaged:
        print(f"damaged, not copied: {blob.object_key} ({blob.size} bytes)", file=sys.stderr)
    print(f"copied {moved.copied} contents, {moved.were_there} were there, {len(moved.damaged)} are damaged")
    return 1 if moved.damaged and not options.leave_damaged else 0


def _failed(error: Exception) -> int:
    print(f"Not moved: {error}. Run it again to go on.", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
