"""What is counted for whom, whatever becomes of uploads, and who is refused at the last byte."""

import asyncio
import hashlib
import random
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from common.audit import Author
from common.errors import DomainError, NotFound
from common.identity import Identity, Role
from common.store import DigestClaim, PartBusy
from common.store.limits import MIB
from tests.integration.upload.content.appended import Source
from tests.integration.upload.content.uploads import Known, blocks
from tests.integration.upload.quotas.quota_bench import GUESTS, PLACE, DyingDatabase, Killed, QuotaBench, outcome
from upload_service.accounts.erasing import erase_account
from upload_service.content import (
    appending,
    cleaning,
    completing,
    files,
    owning,
    sessions,
    storing,
    streams,
    verification,
)
from upload_service.content.appending import Appending
from upload_service.content.concatenating import concatenate, join_pieces
from upload_service.content.making_room import STEP, check_room
from upload_service.content.model import Quota, QuotaExceeded, UploadSession
from upload_service.content.sessions import NewUpload, SessionNotFound
from upload_service.quotas import counting
from upload_service.quotas.changing import AccountNotFound, set_limits
from upload_service.quotas.model import Most
from upload_service.quotas.queries import own_limits

A, B = UUID(int=1), UUID(int=2)
UPLOADS = 200
STEPS_OF_AN_UPLOAD = 25
"""More than the statements and commits of an upload in parts."""


async def send_stream(bench: QuotaBench, content: bytes, new: NewUpload) -> UploadSession:
    """A stream: a form without a length, or one of which the ends are known."""
    session = await sessions.start_upload(bench.context, new)
    try:
        await streams.put_stream(bench.context, session, Known(content, certain=False), 64 * MIB)
        return await streams.finish_stream(bench.context, session)
    except BaseException:
        await streams.discard_stream(bench.context, session.id)
        raise


async def send_parts(bench: QuotaBench, content: bytes, owner: UUID | None, *, honest: bool = True) -> UploadSession:
    claim = DigestClaim("sha-256", hashlib.sha256(content if honest else b"something else").digest())
    new = NewUpload("n", size=len(content), part_size=MIB, owner=owner, claims=(claim,))
    session = await sessions.start_upload(bench.context, new)
    for index in range(session.part_count or 0):
        part = content[index * MIB : (index + 1) * MIB]
        await storing.store_part(bench.context, session, index, blocks(part))
    session = await completing.complete_upload(bench.context, session.id)
    await verification.verify_upload(bench.context, session.id)
    return await sessions.find_session(bench.context, session.id)


async def append(bench: QuotaBench, session: UploadSession, content: bytes, *, breaks: bool = False) -> None:
    async with Appending(bench.context, session) as turn:
        with suppress(ConnectionError):
            await turn.write(turn.size, Source(content, breaks=breaks), 64 * MIB)


async def send_grown(bench: QuotaBench, content: bytes, owner: UUID | None, size: int | None) -> UploadSession:
    """An upload that grows, of a length that is known, or told at the end."""
    session = await sessions.start_upload(bench.context, NewUpload("n", size, grows=True, owner=owner))
    half = len(content) // 2
    await append(bench, session, content[:half])
    await append(bench, session, content[half:])
    session = await appending.declare_size(bench.context, session, len(content))
    return await completing.complete_upload(bench.context, session.id)


async def send_joined(bench: QuotaBench, content: bytes) -> UploadSession:
    half, partials = len(content) // 2, list[UUID]()
    for part in (content[:half], content[half:]):
        session = await sessions.start_upload(bench.context, NewUpload("p", len(part), grows=True))
        await append(bench, session, part)
        partials.append(session.id)
    joined = await concatenate(bench.context, NewUpload("n"), partials, None, 64 * MIB)
    assert await join_pieces(bench.context, joined.id, 64 * MIB)
    return await completing.complete_upload(bench.context, joined.id)


async def test_the_sums_are_exact_after_200_random_uploads_with_kills(bench: QuotaBench) -> None:
    chance = random.Random(17)
    done: list[UploadSession] = []
    bench.quota = Quota(owner_bytes=3 * MIB, owner_files=40, place_bytes=6 * MIB)

    def upload(bench: QuotaBench, owner: UUID | None) -> Coroutine[Any, Any, UploadSession]:
        content = chance.randbytes(chance.choice([0, 1, 1000, 70_000, 300_000])) if chance.random() < 0.8 else b"same"
        size = len(content)
        ways = [
            lambda: send_stream(bench, content, NewUpload("n", owner=owner)),
            lambda: send_stream(bench, content, NewUpload("n", size, owner=owner)),
            lambda: send_stream(bench, content, NewUpload("n", at_most=size + 500, owner=owner)),
            lambda: send_stream(bench, content, NewUpload("n", is_small=True, owner=owner)),
            lambda: send_parts(bench, content, owner, honest=chance.random() < 0.7),
            lambda: send_grown(bench, content, owner, chance.choice([size, None])),
            lambda: send_joined(bench, content),
        ]
        return chance.choice(ways)()

    async def live(owner: UUID | None) -> None:
        # A third of all processes die in the middle, and do not clean up.
        worker = bench.dying(chance.randrange(25)) if chance.random() < 0.33 else bench
        # Some are refused, and some expire while they are sent.
        with suppress(QuotaExceeded, completing.DigestMismatch, SessionNotFound, PartBusy, Killed):
            done.append(await upload(worker, owner))

    async def disturb() -> None:
        match chance.randrange(5):
            case 0 if done:
                session = done.pop(chance.randrange(len(done)))
                if session.file_id:
                    await files.release_file(bench.context, session.file_id)
            case 1 if done:
                file_id = chance.choice(done).file_id
                if file_id:
                    await outcome(owning.adopt_file(bench.context, file_id, A))
            case 2:
                await bench.sum_up()
            case 3:
                await counting.compare(bench.context)
            case _:
                await bench.run("update upload_session set expires_at = now() where state = 'open' and random() < 0.3")
                await cleaning.abort_stale_sessions(bench.context)

    for _ in range(UPLOADS // 8):
        await asyncio.gather(*(live(chance.choice([None, A, B])) for _ in range(8)), disturb())
        sums = await bench.assert_exact()
        assert all(size <= 3 * MIB and number <= 40 for owner, (size, number) in sums.items() if owner != PLACE)
    assert len(done) > 20
    await bench.sum_up()
    assert await bench.run("select * from usage_change") == []
    await bench.assert_exact()
    for account in (A, B):
        await erase_account(bench.context, account)
    ended = await bench.run("select id from file")
    await files.release_files(bench.context, [row[0] for row in ended])
    # Those who died in the middle of a part hold it until their leases are over.
    await bench.run("update part set lease_until = now() where stored_at is null")
    await bench.run("update upload_session set expires_at = now() where state = 'open'")
    await cleaning.abort_stale_sessions(bench.context)
    assert await bench.assert_exact() == {}
    await bench.sum_up()
    await counting.compare(bench.context)
    assert {row[0] for row in await bench.run("select owner from usage")} <= {GUESTS, PLACE}, (
        "no row is left of accounts"
    )


@pytest.mark.parametrize("scope", ["guests", "account", "place"])
async def test_of_many_who_want_the_last_bytes_exactly_those_that_fit_get_them(bench: QuotaBench, scope: str) -> None:
    owners = {"guests": [None], "account": [A], "place": [None, A, B]}[scope]
    limits = {"place_bytes": 1000} if scope == "place" else {"owner_bytes": 1000}
    bench.quota = Quota(**limits)

    async def begin(number: int) -> Any:
        new = NewUpload("n", 300, owner=owners[number % len(owners)])
        return await outcome(sessions.start_upload(bench.context, new))

    found = await asyncio.gather(*(begin(number) for number in range(24)))
    refused = [one for one in found if isinstance(one, QuotaExceeded)]
    assert (len(refused), {error.scope for error in refused}) == (21, {scope})
    assert (await bench.assert_exact())[PLACE] == (900, 3)
    assert await bench.run("select count(*) from upload_session") == [(3,)], "nothing is left of those refused"
    begun = [one for one in found if isinstance(one, UploadSession)]
    await sessions.abort_upload(bench.context, begun[0].id)
    last = await sessions.start_upload(bench.context, NewUpload("n", 400, owner=owners[0]))
    assert isinstance(await outcome(check_room(bench.context, owners[0], 1)), QuotaExceeded)
    await sessions.abort_upload(bench.context, last.id)
    assert await outcome(check_room(bench.context, owners[0], 400)) is None


async def test_files_are_counted_as_well_as_bytes(bench: QuotaBench) -> None:
    bench.quota = Quota(owner_files=2)
    for _ in range(2):
        await send_stream(bench, b"same", NewUpload("n", owner=A))
    refused = await outcome(sessions.start_upload(bench.context, NewUpload("n", 0, owner=A)))
    assert isinstance(refused, QuotaExceeded)
    assert (await bench.assert_exact())[A] == (8, 2), "the same content counts for each file"
    await send_stream(bench, b"same", NewUpload("n", owner=B))


@pytest.mark.parametrize("left", [0, 1, 100_000, STEP, STEP + 100_000])
async def test_a_stream_of_unknown_length_may_use_the_last_byte_and_no_more(bench: QuotaBench, left: int) -> None:
    bench.quota = Quota(owner_bytes=left)
    await send_stream(bench, bytes(left), NewUpload("n", owner=A))
    assert (await bench.assert_exact())[A] == (left, 1)
    bench.quota = Quota(owner_bytes=2 * left)
    refused = await outcome(send_stream(bench, bytes(left + 1), NewUpload("n", owner=A)))
    assert isinstance(refused, QuotaExceeded)
    assert (await bench.assert_exact())[A] == (left, 1)


async def test_what_is_certainly_too_long_is_refused_at_its_beginning(bench: QuotaBench) -> None:
    bench.quota = Quota(owner_bytes=1000)
    at_once = NewUpload("n", at_least=1001, at_most=1500, owner=A)
    assert isinstance(await outcome(sessions.start_upload(bench.context, at_once)), QuotaExceeded)
    await send_stream(bench, bytes(1000), NewUpload("n", at_least=900, at_most=1500, owner=A))
    assert (await bench.assert_exact())[A] == (1000, 1)


async def test_what_was_reserved_stays_when_the_limits_become_stricter(bench: QuotaBench) -> None:
    known = await sessions.start_upload(bench.context, NewUpload("n", 1000, grows=True))
    unknown = await sessions.start_upload(bench.context, NewUpload("n", grows=True))
    partials = [await sessions.start_upload(bench.context, NewUpload("n", 4, grows=True)) for _ in range(2)]
    await append(bench, unknown, bytes(600))
    bench.quota = Quota(owner_bytes=1, owner_files=1)
    await append(bench, known, bytes(1000))
    await completing.complete_upload(bench.context, known.id)
    for partial in partials:
        await append(bench, partial, b"abcd")
    ids = [partial.id for partial in partials]
    joined = await concatenate(bench.context, NewUpload("n"), ids, None, 100)
    assert await join_pieces(bench.context, joined.id, 100)
    await completing.complete_upload(bench.context, joined.id)
    unknown = await sessions.find_session(bench.context, unknown.id)
    more = await outcome(append(bench, unknown, bytes(STEP * 2)))
    assert isinstance(more, QuotaExceeded), "it was not reserved"
    assert isinstance(await outcome(appending.declare_size(bench.context, unknown, STEP * 5)), QuotaExceeded)
    await appending.declare_size(bench.context, unknown, 600)
    await completing.complete_upload(bench.context, unknown.id)
    sums = await bench.assert_exact()
    assert sums[GUESTS][1] == 3


async def test_a_joined_upload_of_a_guests_parts_needs_room_in_the_account(bench: QuotaBench) -> None:
    partials: list[UUID] = []
    for _ in range(2):
        session = await sessions.start_upload(bench.context, NewUpload("n", 4, grows=True))
        await append(bench, session, b"abcd")
        partials.append(session.id)
    joined = await concatenate(bench.context, NewUpload("n", owner=A), partials, None, 100)
    bench.by_account[A] = Quota(owner_bytes=7)
    assert isinstance(await outcome(join_pieces(bench.context, joined.id, 100)), QuotaExceeded)
    assert (await bench.assert_exact())[GUESTS] == (8, 2), "the pieces are as they were"
    bench.by_account[A] = Quota(owner_bytes=8)
    assert await join_pieces(bench.context, joined.id, 100)
    assert await bench.assert_exact() == {A: (8, 1), PLACE: (8, 1)}


async def test_an_adopted_file_counts_for_its_new_owner(bench: QuotaBench) -> None:
    guest = await send_stream(bench, b"12345", NewUpload("n"))
    assert guest.file_id
    bench.by_account[A] = Quota(owner_bytes=4)
    assert isinstance(await outcome(owning.adopt_file(bench.context, guest.file_id, A)), QuotaExceeded)
    assert isinstance(await outcome(owning.adopt_file(bench.context, uuid4(), A)), NotFound)
    bench.by_account[A] = Quota(owner_bytes=5)
    # The place is full; it takes nothing more of it.
    bench.quota = Quota(place_bytes=5)
    for _ in range(2):
        await owning.adopt_file(bench.context, guest.file_id, A)
    assert await bench.assert_exact() == {A: (5, 1), PLACE: (5, 1)}


async def test_a_corrupt_or_lost_upload_gives_back_what_it_took(bench: QuotaBench) -> None:
    with suppress(DomainError):
        await send_parts(bench, b"abc", A, honest=False)
    assert await bench.assert_exact() == {}
    # The store has lost the parts: the upload is open again, and is reserved for as before.
    new = NewUpload("n", size=4, part_size=1, owner=A)
    session = await sessions.start_upload(bench.context, new)
    for index in range(4):
        await storing.store_part(bench.context, session, index, blocks(b"x"))
    session = await sessions.find_session(bench.context, session.id)
    await bench.context.store.abort_multipart(session.object_key, session.multipart_id or "")
    await completing.complete_upload(bench.context, session.id)
    assert (await sessions.find_session(bench.context, session.id)).state == "open"
    assert await bench.assert_exact() == {A: (4, 1), PLACE: (4, 1)}


async def test_wrong_sums_are_corrected(bench: QuotaBench) -> None:
    await send_stream(bench, b"12345", NewUpload("n", owner=A))
    await bench.sum_up()
    await send_stream(bench, b"123", NewUpload("n"))
    await bench.run("update usage set bytes = bytes + 7, files = 0")
    await bench.run("insert into usage_change values (%s, 5, 5)", [B])
    await counting.compare(bench.context)
    assert await bench.assert_exact() == {A: (5, 1), GUESTS: (3, 1), PLACE: (8, 2)}


async def test_an_expired_upload_gives_back_what_it_took(bench: QuotaBench) -> None:
    new = NewUpload("n", 5, grows=True, owner=A, resume_key=b"k", lifetime=timedelta(milliseconds=1))
    await sessions.start_upload(bench.context, new)
    bench.quota = Quota(owner_bytes=5)
    await sessions.start_upload(bench.context, new)
    assert await bench.assert_exact() == {A: (5, 1), PLACE: (5, 1)}, "the expired one with the same key gave way"


class Deleted:
    """An account that is deleted while something is done to it."""

    def __init__(self) -> None:
        self._answers = [True, False]

    async def exists(self, account: UUID) -> bool:
        return self._answers.pop(0)


async def test_an_account_that_is_deleted_meanwhile_leaves_no_limits(bench: QuotaBench) -> None:
    author = Author(Identity(B, "admin", Role.ADMINISTRATOR, B, None), "127.0.0.1")
    with pytest.raises(AccountNotFound):
        await set_limits(replace(bench.context, directory=Deleted()), author, A, Most(1, 1))
    async with bench.context.db.connection() as connection:
        assert await own_limits(connection, A) is None


async def test_the_last_bytes_are_nobodys_for_ever_whenever_the_process_that_reserved_them_dies(
    bench: QuotaBench,
) -> None:
    """Several want all there is, and the first of them dies between reserving and settling, at any of its steps."""
    content = b"x" * 1000
    bench.quota = Quota(owner_bytes=len(content))
    dead: list[bool] = []

    async def after(event: asyncio.Event) -> UploadSession:
        await event.wait()
        return await send_parts(bench, content, A)

    for steps in range(0, STEPS_OF_AN_UPLOAD, 2):
        db = DyingDatabase(bench.context.db, steps)
        wanting = [send_parts(bench.on(db), content, A), after(db.used), after(db.used)]
        found = await asyncio.gather(*wanting, return_exceptions=True)
        dead.append(isinstance(found[0], Killed))
        assert all(isinstance(one, UploadSession | QuotaExceeded | Killed) for one in found), found
        # Somebody has them, dead or alive, and nobody else.
        assert (await bench.assert_exact()).get(A, (0, 0)) == (1000, 1), steps
        refused = await outcome(sessions.start_upload(bench.context, NewUpload("n", 1, owner=A)))
        assert isinstance(refused, QuotaExceeded)
        for row in await bench.run("select id from file"):
            await files.release_file(bench.context, row[0])
        # The time of the dead is over: that of the part that one was sending, and that of the upload.
        await bench.run("update part set lease_until = now() where stored_at is null")
        await bench.run("update upload_session set expires_at = now() where state = 'open'")
        await cleaning.abort_stale_sessions(bench.context)
        assert await bench.assert_exact() == {}, steps
    assert dead == sorted(dead, reverse=True), "dead at each step of an upload"
    assert dead.count(True) >= 3
    assert not dead[-1], "the last one came to its end"
