"""Replacing the password of an administrator's own account, which the auth service keeps."""

from common.audit import Author
from share_service.context import Context

PASSWORD_LENGTH = 8
"""The shortest password, in characters, that the auth service accepts for this."""


async def replace_password(context: Context, author: Author, password: str) -> None:
    """Give the author's account another password; all its sessions end, this one included.

    Raises `Forbidden`, `InvalidInput` for a password that cannot be used, and `Unavailable`.
    """
    author.require_administrator()
    asked = {"password": password, "address": author.address, "credential_id": author.identity.credential_id.hex}
    await context.auth.call("POST", f"/internal/accounts/{author.identity.account_id.hex}/password", asked)
