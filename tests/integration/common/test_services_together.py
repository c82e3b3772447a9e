"""All services together, each the real one: what requests cost, and that shares keep to what becomes of their files."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.calls import Answer, Calls, NoAnswer
from tests.conftest import MakeDatabase
from tests.costs import table
from tests.costs.counting import counted
from tests.costs.requests import measure
from tests.costs.system import System, running
from tests.examples import examples
from tests.through_gateway import TOKEN

ACTS = ("protect", "open", "rename", "share", "lose the content", "delete")
PATHS = ("/share/metadata/", "/share/select/")


@pytest.fixture(scope="module")
def system(make_database: MakeDatabase, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(make_database, valkey_url, tmp_path_factory.mktemp("services")) as system:
        yield system


@pytest.fixture(scope="module")
def owner(system: System) -> dict[str, str]:
    """The headers of an account."""
    asked = {"name": f"user {secrets.token_hex(6)}", "password": "correct horse battery"}
    token = system.client("auth").post("/v1/auth/register", json=asked).raise_for_status().json()["token"]
    return {"Authorization": f"Bearer {token}"}


def test_requests_cost_what_the_document_says(system: System) -> None:
    """Costs change only on purpose: `make costs` writes the table, and the difference is looked at."""
    with counted() as counts:
        found = table.render(measure(system, counts))
    assert found.splitlines() == table.documented().splitlines()


@dataclass
class SharedFile:
    """A file of an account as the test has changed it, and the codes of its shares."""

    system: System
    owner: dict[str, str]
    content: bytes = field(default_factory=lambda: secrets.token_bytes(100))
    name: str = field(default_factory=lambda: f"{uuid4().hex}.bin")
    password: str | None = None
    is_gone: bool = False
    is_lost: bool = False
    file_id: str = ""
    codes: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.upload, self.share = self.system.client("upload"), self.system.client("share")
        sent = {"file": (self.name, self.content)}
        form = {"expire_value": "1", "expire_style": "day"}
        answer = self.upload.post("/share/file/", files=sent, data=form, headers=self.owner).raise_for_status()
        self.codes.append(answer.json()["detail"]["code"])
        listed = self.share.get("/v1/shares", headers=self.owner).raise_for_status().json()["shares"]
        self.file_id = next(share["file_id"] for share in listed if share["code"] == self.codes[0])

    def act(self, act: str) -> None:
        """Change the file. Nothing can be done any more with one that is gone."""
        path = f"/v1/files/{self.file_id}"
        match act:
            case "protect" | "open":
                password = secrets.token_hex(4) if act == "protect" else None
                if self.upload.patch(path, json={"password": password}, headers=self.owner).is_success:
                    self.password = password
            case "rename":
                name = f"{uuid4().hex}.bin"
                if self.upload.patch(path, json={"name": name}, headers=self.owner).is_success:
                    self.name = name
            case "share":
                made = self.share.post("/v1/shares", json={"file_id": self.file_id, "form": "code"}, headers=self.owner)
                if made.is_success:
                    self.codes.append(made.json()["code"])
            case "lose the content":
                self.is_lost |= self._remove_object()
            case "delete":
                self.is_gone |= self.upload.delete(path, headers=self.owner).status_code == 204
            case _:
                raise AssertionError(act)

    def check(self) -> None:
        """A client that comes now is told of the file, and given it, if that is allowed and never otherwise."""
        for code in self.codes:
            for path in PATHS:
                for password in {None, self.password}:
                    self._check(path, code, password)

    def _check(self, path: str, code: str, password: str | None) -> None:
        # Each at an address of its own: wrong passwords are counted.
        headers = {
            "X-Forwarded-For": f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.9",
            "X-Gateway-Token": TOKEN,
        }
        if password:
            headers["X-Share-Password"] = password
        answer = self.share.get(path, params={"code": code}, headers=headers)
        is_told = self.name in answer.text or "x-store-path" in answer.headers
        is_allowed = not self.is_gone and password == self.password
        assert not is_told or is_allowed, (path, answer.text, self)
        is_there = path == PATHS[0] or not self.is_lost
        assert is_told == (is_allowed and is_there), (path, answer.text, self)

    def _remove_object(self) -> bool:
        """Remove the content from the store behind the system's back."""
        found = [path for path in self.system.store.rglob("*") if path.is_file() and self.content in path.read_bytes()]
        for path in found:
            path.unlink()
        return bool(found)


@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.booleans()), max_size=6))
@settings(max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_share_tells_or_gives_what_is_gone_or_not_allowed(
    system: System, owner: dict[str, str], acts: list[tuple[str, bool]]
) -> None:
    """Whatever becomes of the file, and whether or not the messages about it arrive at the share service."""
    file = SharedFile(system, owner)
    for act, are_lost in acts:
        with pytest.MonkeyPatch.context() as changed:
            if are_lost:
                _lose_messages(changed)
            file.act(act)
        file.check()


def _lose_messages(changed: pytest.MonkeyPatch) -> None:
    """Nothing that upload tells of its files arrives."""
    send = Calls.send

    async def losing(calls: Any, method: str, url: str, **options: Any) -> Answer:
        if "/internal/shares/" in url:
            raise NoAnswer
        return await send(calls, method, url, **options)

    changed.setattr(Calls, "send", losing)


async def test_a_password_holds_from_its_answer_on_for_whoever_races_with_it(
    system: System, owner: dict[str, str]
) -> None:
    file = SharedFile(system, owner)
    given_at = float("inf")
    loop = asyncio.get_running_loop()
    async with httpx.AsyncClient(base_url=system.urls["share"], headers=system.headers, timeout=30) as client:

        async def ask() -> list[tuple[float, int]]:
            found: list[tuple[float, int]] = []
            while not found or found[-1][0] <= given_at:
                begun = loop.time()
                answer = await client.get("/share/select/", params={"code": file.codes[0]})
                found.append((begun, answer.status_code))
            return found

        asking = [asyncio.create_task(ask()) for _ in range(8)]
        await asyncio.to_thread(file.act, "protect")
        given_at = loop.time()
        answers = [answer for found in await asyncio.gather(*asking) for answer in found]
    assert {status for begun, status in answers if begun > given_at} == {403}
    assert {status for _, status in answers} <= {200, 403}
