"""Redeeming codes: looking, taking a use, and resuming what was paid for."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.db import Connection
from share_service.shares import queries
from share_service.shares.model import LEASE_LIFETIME, Form, Share, ShareEnded, UnknownCode, is_code, is_link, is_slug

_POSSIBLE = {"code": is_code, "link": is_link, "page": is_slug}


@dataclass(frozen=True, slots=True)
class Admission:
    """A share that may be downloaded; `leased` when the one who asks has paid for it already."""

    share: Share
    leased: bool


async def look_up(connection: Connection, code: str, now: datetime, form: Form = "code") -> Share:
    """The share that goes by this code, link or slug and can be redeemed. Takes nothing.

    Raises `UnknownCode`, `ShareEnded`.
    """
    share = await _find(connection, code, form)
    if not share.is_redeemable(now):
        raise ShareEnded(share.ended_for)
    return share


async def pages_named(connection: Connection, slugs: list[str]) -> dict[str, Share]:
    """The pages that go by these slugs, ended or not, by their slugs; those that are unknown are not among them."""
    pages = await queries.pages_of_slugs(connection, [slug for slug in slugs if is_slug(slug)])
    return {page.code: page for page in pages}


async def admit(connection: Connection, code: str, holder: bytes, now: datetime, form: Form = "code") -> Admission:
    """Say whether `holder` may download what this code, link or slug names. Takes nothing.

    Someone with a lease may also go on after the last use was taken. Raises `UnknownCode`, `ShareEnded`.
    """
    share = await _find(connection, code, form)
    leased = share.is_resumable(now) and await queries.has_lease(connection, share.id, holder, now)
    if not leased and not share.is_redeemable(now):
        raise ShareEnded(share.ended_for)
    return Admission(share, leased)


async def redeem_file(connection: Connection, share_id: UUID, holder: bytes, now: datetime) -> Share:
    """Take a use and give `holder` a lease, which covers the resumes of this download. Raises `ShareEnded`."""
    share = await _take(connection, share_id, now)
    await queries.upsert_lease(connection, share_id, holder, now + LEASE_LIFETIME)
    return share


async def redeem_text(connection: Connection, share_id: UUID, now: datetime) -> Share:
    """Take a use and return the share with its text, which is erased with the last use. Raises `ShareEnded`."""
    share = await _take(connection, share_id, now)
    if share.state == "ended":
        await queries.erase_body(connection, share_id)
    return share


async def _find(connection: Connection, code: str, form: Form) -> Share:
    share = await queries.share_of_code(connection, form, code) if _POSSIBLE[form](code) else None
    if share is None:
        raise UnknownCode
    return share


async def _take(connection: Connection, share_id: UUID, now: datetime) -> Share:
    share = await queries.take_use(connection, share_id, now)
    if share is None:
        raise ShareEnded
    return share
