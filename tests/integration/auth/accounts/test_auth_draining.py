"""The sweeps of the auth service work until nothing is left, also when thousands of rows wait."""

from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

import httpx
import pytest

from auth_service.accounts.erasing import erase_accounts
from auth_service.accounts.model import KEEPERS
from auth_service.sessions.purging import purge
from common.peers import Peer
from tests.conftest import MakeDatabase
from tests.integration.auth.running import AuthService, running_auth, sweeping

MANY = 3_000


class Keeper:
    """Stands for a service that keeps data of accounts."""

    def __init__(self) -> None:
        self.told: list[UUID] = []

    async def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        assert method == "DELETE"
        self.told.append(UUID(path.rpartition("/")[2]))
        return {}


@pytest.fixture(scope="module")
def auth(make_database: MakeDatabase, valkey_url: str) -> Iterator[AuthService]:
    # Nothing answers at the broker, so only this test sweeps.
    with running_auth(make_database, valkey_url, broker_url="redis://127.0.0.1:9/0") as service:
        yield service


def waiting(auth: AuthService) -> dict[str, int]:
    """What an operator reads of the work that is waiting."""
    answer = httpx.get(f"{auth.url}/internal/backlog")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_accounts_to_erase(auth: AuthService) -> None:
    auth.rows(
        f"""
        insert into erasure (account_id, service, due_at, passes_left)
        select gen_random_uuid(), service, now() - interval '1 minute', 1 + mod(number, 2)
        from generate_series(1, {MANY}) as number, unnest(array['share', 'upload', 'chat']) as service
        """
    )
    assert [waiting(auth)[f"accounts to erase in {name}"] for name in KEEPERS] == [MANY] * 3
    keepers = {name: Keeper() for name in KEEPERS}
    async with sweeping(auth, {name: cast("Peer", keeper) for name, keeper in keepers.items()}) as context:
        await erase_accounts(context)
    assert [waiting(auth)[f"accounts to erase in {name}"] for name in KEEPERS] == [0] * 3
    assert [len(set(keeper.told)) for keeper in keepers.values()] == [MANY] * 3
    assert auth.rows("select passes_left, count(*) from erasure group by 1") == [(1, 3 * MANY // 2)]


async def test_sessions_and_addresses_to_forget(auth: AuthService) -> None:
    person = auth.sign_up()
    auth.rows(
        f"""
        insert into session (id, account_id, kind, label, created_at, expires_at)
        select gen_random_uuid(), %s, 'token', 'x', now(), now() - interval '1 minute' from generate_series(1, {MANY})
        """,
        person.id,
    )
    auth.rows(
        f"""
        insert into known_address (account_id, address_digest, seen_at)
        select %s, sha256(number::text::bytea), now() - interval '31 days' from generate_series(1, {MANY}) as number
        """,
        person.id,
    )
    counts = waiting(auth)
    assert (counts["sessions to delete"], counts["addresses to forget"]) == (MANY, MANY)
    async with sweeping(auth) as context:
        await purge(context)
    counts = waiting(auth)
    assert (counts["sessions to delete"], counts["addresses to forget"]) == (0, 0)
