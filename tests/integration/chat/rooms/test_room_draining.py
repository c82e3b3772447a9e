"""The sweep of rooms works until nothing is left, also when thousands of rows wait."""

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import MakeDatabase
from tests.integration.chat.running import ChatService, running_chat

MANY = 3_000


@pytest.fixture
def chat(make_database: MakeDatabase, valkey_url: str) -> Iterator[ChatService]:
    with running_chat(make_database, valkey_url) as service:
        yield service


def waiting(chat: ChatService) -> dict[str, int]:
    """What an operator reads of the work that is waiting."""
    answer = httpx.get(f"{chat.url}/internal/backlog")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_closed_rooms_their_files_and_invitations(chat: ChatService) -> None:
    chat.rows(
        f"""
        insert into room (name, name_key, is_private, owner, lifetime_seconds, capacity, revoke_files, created_at,
            closed_at, clean_due_at)
        select number::text, number::text, true, gen_random_uuid(), 60, 10, true, now(), now(), now()
        from generate_series(1, {MANY}) as number
        """
    )
    chat.rows(
        """
        insert into room_file (room_id, share_id, revoke_at, due_at)
        select id, gen_random_uuid(), now(), now() from room
        """
    )
    chat.rows(
        """
        insert into invitation (id, room_id, digest, created_by, created_at, expires_at)
        select gen_random_uuid(), id, sha256(id::text::bytea), gen_random_uuid(), now(), now() from room
        """
    )
    counts = waiting(chat)
    assert counts == {
        "rooms to clear": MANY,
        "files to revoke": MANY,
        "rooms to delete": 0,
        "room names to compare": 0,
        "sends to forget": 0,
        "addresses to forget": 0,
        "invitations to delete": MANY,
    }
    await chat.sweep()
    assert set(waiting(chat).values()) == {0}
    assert len(set(chat.share.revoked)) == MANY
    chat.rows("update room set cleaned_at = now() - interval '2 days'")
    assert waiting(chat)["rooms to delete"] == MANY
    await chat.sweep()
    assert chat.rows("select count(*) from room") == [(0,)]
