"""The data of a deleted account is erased everywhere, whatever dies on the way."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from fastapi import FastAPI, Request, Response

from auth_service.accounts import deletion, erasing
from auth_service.accounts.model import KEEPERS
from auth_service.context import WorkerContext
from common.credentials import CredentialsUnavailable
from common.identity import Identity
from common.peers import Peers
from tests.conftest import MakeDatabase
from tests.integration.auth.running import PASSWORD, AuthService, Person, operating, running_auth, sweeping
from tests.integration.share.running_share import SECRETS, policy_stand_in
from tests.serving import served


@dataclass
class Keeper:
    """A service that keeps data of accounts. It answers with `status`, and records which it was told to erase."""

    url: str = ""
    status: int = 200
    told: list[UUID] = field(default_factory=list[UUID])

    def app(self) -> FastAPI:
        app = policy_stand_in({})

        async def erase(request: Request, account_id: UUID) -> Response:
            assert request.headers["authorization"].startswith("Bearer ")
            if self.status == 200:
                self.told.append(account_id)
            return Response("{}", self.status)

        app.add_api_route("/internal/accounts/{account_id}", erase, methods=["DELETE"])
        return app


@pytest.fixture(scope="module")
def auth(make_database: MakeDatabase, valkey_url: str) -> Iterator[AuthService]:
    # Nothing answers at the broker: whatever is erased here, a sweep does it.
    with running_auth(make_database, valkey_url, broker_url="redis://127.0.0.1:9/0") as service:
        yield service


@pytest.fixture
def keepers() -> Iterator[dict[str, Keeper]]:
    with ExitStack() as opened:
        keepers = {name: Keeper() for name in KEEPERS}
        for keeper in keepers.values():
            keeper.url = opened.enter_context(served(keeper.app()))
        yield keepers


def identity_of(auth: AuthService, person: Person) -> Identity:
    """The account as other services see it."""
    name = f"session:{person.session_id().hex}"
    return Identity.from_json(auth.internal("/internal/credentials", {"name": name}).json()["identity"])


def passes(left: int, **others: int) -> dict[str, int]:
    """The passes that each service has left: `left`, except for those named in `others`."""
    return dict.fromkeys(KEEPERS, left) | others


@asynccontextmanager
async def sweeper(auth: AuthService, keepers: dict[str, Keeper]) -> AsyncGenerator["Sweeper"]:
    peers = Peers("auth", secret=SECRETS["auth"], auth_url=auth.url)
    async with sweeping(auth, {name: peers.at(keeper.url) for name, keeper in keepers.items()}) as context:
        yield Sweeper(context)
    await peers.aclose()


@dataclass
class Sweeper:
    context: WorkerContext

    async def sweep(self) -> None:
        await erasing.erase_accounts(self.context)


def delete(person: Person) -> None:
    assert person.delete().status_code == 204


def open_erasures(auth: AuthService, person: Person) -> dict[str, int]:
    return dict(auth.rows("select service, passes_left from erasure where account_id = %s", person.id))


def let_time_pass(auth: AuthService) -> None:
    auth.rows("update erasure set due_at = due_at - interval '1 hour'")


async def test_the_services_are_told_twice_and_then_nothing_is_left(
    auth: AuthService, keepers: dict[str, Keeper]
) -> None:
    """The sweep makes up for a message that was lost or never sent."""
    person = auth.sign_up()
    delete(person)
    assert open_erasures(auth, person) == passes(2)
    async with sweeper(auth, keepers) as working:
        await working.sweep()
        await working.sweep()
        assert [keeper.told for keeper in keepers.values()] == [[person.id]] * 3
        assert open_erasures(auth, person) == passes(1)
        let_time_pass(auth)
        await working.sweep()
        assert [keeper.told for keeper in keepers.values()] == [[person.id] * 2] * 3
        assert open_erasures(auth, person) == {}
        await working.sweep()
    assert [len(keeper.told) for keeper in keepers.values()] == [2] * 3


@pytest.mark.parametrize("status", [500, 503, 401, 404, 409])
async def test_a_service_that_fails_is_told_again_and_holds_up_no_other(
    auth: AuthService, keepers: dict[str, Keeper], status: int
) -> None:
    people = [auth.sign_up(), auth.sign_up()]
    for person in people:
        delete(person)
    keepers["share"].status = status
    async with sweeper(auth, keepers) as working:
        await working.sweep()
        assert set(keepers["upload"].told) == set(keepers["chat"].told) == {person.id for person in people}
        assert all(open_erasures(auth, person) == passes(1, share=2) for person in people)
        keepers["share"].status = 200
        auth.rows("update erasure set due_at = due_at - interval '1 minute' where service = 'share'")
        await working.sweep()
        assert set(keepers["share"].told) == {person.id for person in people}
        for _ in range(2):
            let_time_pass(auth)
            await working.sweep()
    assert all(open_erasures(auth, person) == {} for person in people)


async def test_a_worker_that_dies_between_the_call_and_its_record_leaves_it_to_the_next(
    auth: AuthService, keepers: dict[str, Keeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = auth.sign_up()
    delete(person)

    class Died(BaseException):
        pass

    async def die(*_: object) -> None:
        raise Died

    async with sweeper(auth, keepers) as working:
        with monkeypatch.context() as patch:
            patch.setattr(erasing.queries, "plan_next_passes", die)
            with pytest.raises(Died):
                await working.sweep()
        assert sum(len(keeper.told) for keeper in keepers.values()) == 1
        assert open_erasures(auth, person) == passes(2)
        auth.rows("update erasure set due_at = due_at - interval '1 minute'")
        await working.sweep()
        assert all(person.id in keeper.told for keeper in keepers.values())
        let_time_pass(auth)
        await working.sweep()
    assert open_erasures(auth, person) == {}


async def test_sweeps_at_once_do_not_count_one_pass_twice(auth: AuthService, keepers: dict[str, Keeper]) -> None:
    people = [auth.sign_up() for _ in range(3)]
    for person in people:
        delete(person)
    async with sweeper(auth, keepers) as working:
        await asyncio.gather(*(working.sweep() for _ in range(4)))
        assert sorted(keepers["share"].told) == sorted(person.id for person in people)
        assert all(open_erasures(auth, person) == passes(1) for person in people)
        let_time_pass(auth)
        await asyncio.gather(*(working.sweep() for _ in range(4)))
    assert all(open_erasures(auth, person) == {} for person in people)


async def test_an_account_is_deleted_wholly_or_not_at_all(auth: AuthService, monkeypatch: pytest.MonkeyPatch) -> None:
    person = auth.sign_up()
    async with operating(auth) as context:

        async def fail(*_: object) -> None:
            raise CredentialsUnavailable

        monkeypatch.setattr(deletion.credentials, "revoke_all", fail)
        with pytest.raises(CredentialsUnavailable):
            await deletion.delete_own(context, identity_of(auth, person), PASSWORD, person.address)
    assert person.status() == 200
    assert open_erasures(auth, person) == {}


async def test_of_two_deletions_at_once_one_finds_the_account(auth: AuthService) -> None:
    person = auth.sign_up()
    identity = identity_of(auth, person)
    async with operating(auth, broker_url="redis://127.0.0.1:9/0") as context:
        address = person.address
        results = await asyncio.gather(
            *(deletion.delete_own(context, identity, PASSWORD, address) for _ in range(2)), return_exceptions=True
        )
    assert sorted(type(result).__name__ for result in results) == ["AccountNotFound", "NoneType"]
    assert open_erasures(auth, person) == passes(2)


@pytest.mark.parametrize("status", [200, 503, 404])
def test_share_is_told_before_the_deletion_is_answered(
    make_test_database: MakeDatabase, valkey_url: str, keepers: dict[str, Keeper], status: int
) -> None:
    """A share service that is away is told by the sweep, like the others."""
    share = keepers["share"]
    share.status = status
    with running_auth(make_test_database, valkey_url, share_url=share.url) as auth:
        person = auth.sign_up()
        delete(person)
        assert share.told == ([person.id] if status == 200 else [])
        assert open_erasures(auth, person) == passes(2)
