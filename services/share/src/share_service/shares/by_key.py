"""Using the deletion key of a share: to end it, or to adopt it into an account."""

from common.errors import DomainError, Forbidden, Unavailable
from common.identity import Identity
from common.rights import Action, Actor, permitted
from share_service.context import Context
from share_service.shares.delete_keys import DeleteKeys
from share_service.shares.lookup import look_up
from share_service.shares.model import UnknownCode
from share_service.shares.owning import withdraw_share
from share_service.shares.queries.owned import set_owner


async def end_link(context: Context, code: str, key: str | None) -> None:
    """End the share of a link. Raises `UnknownCode`, `ShareEnded`, and `Forbidden` if the key is wrong."""
    share = await look_up(context, "link", code)
    actor = Actor(None, has_key=DeleteKeys(context.key_secret).matches(share.id, key))
    if not permitted(Action.DELETE, actor, share.owner):
        raise Forbidden
    await withdraw_share(context, actor, share.id)


async def end_code(context: Context, code: str, key: str) -> None:
    """End the share with a code. Raises `ShareEnded`, and `UnknownCode` also if the key is wrong."""
    share = await look_up(context, "code", code)
    actor = Actor(None, has_key=DeleteKeys(context.key_secret).matches(share.id, key))
    if not permitted(Action.DELETE, actor, share.owner):
        raise UnknownCode
    await withdraw_share(context, actor, share.id)


async def adopt_link(context: Context, identity: Identity, code: str, key: str) -> bool:
    """Give a link that belongs to nobody, and its file, to the account; False if the account may not have it.

    Doing it again changes nothing. Raises `Unavailable`.
    """
    try:
        share = await look_up(context, "link", code)
        if not DeleteKeys(context.key_secret).matches(share.id, key):
            return False
        if not permitted(Action.ADOPT, Actor(identity, has_key=True), share.owner):
            return False
        # The file first: if two accounts show the key, the upload service decides between them.
        await context.upload.call("POST", f"/internal/files/{share.file_id}/adopt", {"owner": identity.account_id.hex})
    except Unavailable:
        raise
    except DomainError:
        return False
    async with context.db.transaction() as connection:
        return await set_owner(connection, share.id, identity.account_id)
