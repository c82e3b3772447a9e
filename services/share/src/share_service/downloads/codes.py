"""Asking about a code without downloading: its facts, or its text or download key."""

from dataclasses import dataclass

from common import clock
from share_service.context import Context
from share_service.downloads.downloading import DownloadRequest, password_of, start_download, take_text
from share_service.downloads.guesses import counted_inspection, counted_redemption
from share_service.downloads.keys import DownloadKeys
from share_service.downloads.passwords import Proof, check_password
from share_service.downloads.single_items import items_as_content
from share_service.shares.lookup import look_up
from share_service.shares.model import Share, canonical


@dataclass(frozen=True, slots=True)
class Collected:
    """A share whose text was taken, or the key to download its file."""

    share: Share
    download_key: str | None = None


async def inspect(context: Context, code: str, proof: Proof) -> Share:
    """The share with this code. Takes no use.

    Raises `UnknownCode`, `ShareEnded`, and what `counted_inspection` and `check_password` raise.
    """
    policy = await context.policy.current()
    async with counted_inspection(context, policy, proof.address, code):
        share = await look_up(context, "code", code)
    await _open(context, share, proof)
    if share.content_kind == "items":
        return await items_as_content(context, share)
    return share


async def collect(context: Context, code: str, proof: Proof) -> Collected:
    """Take the text with this code, or get a key to download the file, which takes no use yet.

    Raises `UnknownCode`, `ShareEnded`, and what `counted_redemption` and `check_password` raise.
    """
    policy, now = await context.policy.current(), clock.now()
    async with counted_redemption(context, policy, proof.address, code):
        share = await look_up(context, "code", code)
    password_hash = await _open(context, share, proof)
    if share.content_kind == "text":
        return Collected(await take_text(context, share.id, now))
    if share.content_kind == "items":
        share = await items_as_content(context, share)
        if share.content_kind == "text":
            request = DownloadRequest("GET", proof.address, proof.password)
            return Collected((await start_download(context, "code", code, request)).share)
    keys = DownloadKeys(context.key_secret)
    return Collected(share, keys.issue(canonical("code", share.code), now, password_hash=password_hash))


async def _open(context: Context, share: Share, proof: Proof) -> str | None:
    """Check the password, and return its hash; None if there is none. Raises `UnknownCode` if the file is gone."""
    hashed = await password_of(context, share)
    await check_password(context, share.id, hashed, proof)
    return hashed
