"""All mirrors, whoever may use them, with their health; and a check that an administrator asks for."""

from common.audit import Act, Author
from common.audit_log import record
from upload_service.context import Context
from upload_service.mirrors.administration import MirrorSummary, find_mirror
from upload_service.mirrors.administration import list_mirrors as all_mirrors
from upload_service.mirrors.probing import Failure
from upload_service.mirrors.upkeep import probe_mirror


async def list_mirrors(context: Context, author: Author) -> list[MirrorSummary]:
    """Every mirror, the oldest first. Raises `Forbidden`."""
    author.require_administrator()
    return await all_mirrors(context)


async def check_mirror(context: Context, author: Author, mirror_id: int) -> Failure | None:
    """Try a mirror out with a small object. Raises `Forbidden`, `MirrorNotFound`."""
    author.require_administrator()
    found = await find_mirror(context, mirror_id)
    failure = await probe_mirror(context, found.mirror)
    async with context.db.connection() as connection:
        new = {"error": failure.error if failure else None}
        await record(connection, author, [Act("mirror.check", "mirror", str(mirror_id), found.mirror.name, new=new)])
    return failure
