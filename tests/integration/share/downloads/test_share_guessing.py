"""Strangers with many addresses guess codes: whoever knows a code still gets their share."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.errors import RateLimited
from common.valkey import Part, Pipe
from share_service.context import Context
from share_service.downloads.codes import collect, inspect
from share_service.downloads.downloading import DownloadRequest, start_download
from share_service.downloads.passwords import Proof
from share_service.shares.model import UnknownCode
from tests.integration.share.downloads.test_share_limits import share_text
from tests.integration.share.running_share import Start

NETWORKS, ROUNDS, AT_ONCE, GLOBAL_COUNT = 123, 9, 41, 1000


async def guess(context: Context, address: str, code: str = "ZZZZ0") -> str:
    """Redeem a code; returns "right", "wrong" or "refused"."""
    try:
        await collect(context, code, Proof(address))
    except UnknownCode:
        return "wrong"
    except RateLimited:
        return "refused"
    return "right"


async def test_1100_guesses_from_123_networks_refuse_nobody_who_knows_a_code(start: Start) -> None:
    prefix = f"2001:db8:{uuid4().hex[:4]}"
    networks = [f"{prefix}:{n:x}" for n in range(NETWORKS)]
    with start(guess_global_count=GLOBAL_COUNT) as service:
        code = share_text(service.client(), expire_style="forever")
        async with service.worker() as context:
            answers: list[str] = []
            for number, first in product(range(ROUNDS), range(0, NETWORKS, AT_ONCE)):
                guesses = (guess(context, f"{network}::{number:x}") for network in networks[first : first + AT_ONCE])
                answers += await asyncio.gather(*guesses)
            assert len(answers) > 1_100
            assert (answers.count("wrong"), answers.count("right")) == (GLOBAL_COUNT, 0)
            assert await guess(context, f"{networks[0]}::1", code) == "refused"

            innocent = f"{prefix}:ffff::1"
            for _ in range(5):
                assert await guess(context, innocent, code) == "right"
            assert (await inspect(context, code, Proof(f"{prefix}:fffe::1"))).code == code
            request = DownloadRequest("GET", f"{prefix}:fffd::1")
            assert (await start_download(context, "code", code, request)).share.code == code
            assert await asyncio.gather(*(guess(context, innocent, code) for _ in range(8))) == ["right"] * 8


async def test_a_wrong_code_takes_as_long_as_a_right_one_while_everybodys_budget_is_used_up(start: Start) -> None:
    async def timed(context: Context, code: str) -> float:
        began = time.monotonic()
        await guess(context, f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1", code)
        return time.monotonic() - began

    with start(guess_global_count=3) as service:
        code = share_text(service.client(), expire_style="forever")
        async with service.worker() as context:
            for n in range(3):
                assert await guess(context, f"2001:db8:{uuid4().hex[:4]}:{n}::1") == "wrong"
            right = min([await timed(context, code) for _ in range(5)])
            wrong = min([await timed(context, "ZZZZ0") for _ in range(5)])
            assert right == pytest.approx(wrong, abs=0.05)


def test_four_digits_are_not_found_by_trying_all_of_them(start: Start) -> None:
    def tried(client: httpx.Client, *codes: str) -> list[int]:
        return [client.post("/share/select/", json={"code": code}).status_code for code in codes]

    wrong = [f"00{n:02}" for n in range(10)]
    # The budgets of a minute allow as many as are tried here.
    with start(error_count=1000) as service:
        chosen = service.client().post("/v1/shares", json={"items": [{"text": "a"}], "code": "4711"})
        assert chosen.status_code == 201
        guesser = service.client()
        assert tried(guesser, *wrong) == [200] * 10
        places = ("/share/select/?code=0010", "/share/select/?code=4711", "/share/metadata/?code=4711")
        with ThreadPoolExecutor(6) as pool:
            refused = list(pool.map(guesser.get, (*places, "/v1/codes/4711", "/v1/drops/4711", "/c/4711")))
        assert [answer.status_code for answer in refused] == [423] * 3 + [429] * 3
        assert {answer.headers["retry-after"] for answer in refused} == {str(24 * 60 * 60)}
        assert tried(guesser, "ZZZZ0", "Z711") == [200, 200], "there are enough of these"

        for _ in range(9):
            assert tried(service.client(), *wrong) == [200] * 10
        three = ("0011", "0012", "0013")
        assert tried(service.client(), *three, "4711") == [200] * 3 + [423], "everybody's budget is used up"
        forgiven = service.client()
        assert tried(forgiven, "4711", *three[:2], "4711") == [200] * 4, "and refuses nobody who has mistyped a code"
        assert forgiven.post("/share/select/", json={"code": "4711"}).json()["code"] == 200


async def test_the_networks_of_one_site_share_a_budget_and_get_no_counters_beyond_it(start: Start) -> None:
    """A site has 65,536 networks of IPv6, and each of them would have counters for a day."""
    site = f"2001:db8:{uuid4().hex[:4]}"
    with start(error_count=1000) as service:
        async with service.worker() as context:
            answers = await asyncio.gather(*(guess(context, f"{site}:{n:x}::1", f"{n:04}") for n in range(43)))
            assert (answers.count("wrong"), answers.count("refused")) == (40, 3)
            assert await guess(context, f"{site}:ffff::1", "0000") == "refused"
            keys = await context.limiter.call("KEYS", f"limit:guess-of-few*:4d:{site}:*")
            assert len(keys) == 81, "two of each network, and one of the site"
            assert await guess(context, f"{site}:2a::1", "ZZZZ0") == "wrong", "there are enough of these"
            assert await guess(context, f"2001:db8:{uuid4().hex[:4]}::1", "0000") == "wrong"
            assert await guess(context, "192.0.2.1", "0001") == "wrong"


def test_four_digits_are_not_found_by_choosing_all_of_them(start: Start) -> None:
    with start(error_count=1000) as service:
        client = service.client()
        share = client.post("/v1/shares", json={"items": [{"text": "a"}]}).json()

        def choose(code: str) -> int:
            headers = {"Share-Key": share["key"]}
            return client.patch(f"/v1/shares/{share['id']}", json={"code": code}, headers=headers).status_code

        assert {choose(f"50{n:02}") for n in range(100)} == {200}
        assert (choose("5100"), choose("5100A")) == (429, 200)


@pytest.mark.parametrize("use_case", [inspect, collect])
async def test_a_right_code_costs_two_calls_to_valkey(
    start: Start, monkeypatch: pytest.MonkeyPatch, use_case: Callable[[Context, str, Proof], Awaitable[object]]
) -> None:
    calls: list[tuple[Part, ...]] = []
    call = Pipe.call

    async def counted(pipe: Pipe, *command: Part) -> Any:
        calls.append(command)
        return await call(pipe, *command)

    with start() as service:
        code = share_text(service.client(), expire_style="forever")
        async with service.worker() as context:
            # The first time, the server may not know the scripts yet.
            await use_case(context, code, Proof("2001:db8::1"))
            monkeypatch.setattr(Pipe, "call", counted)
            await use_case(context, code, Proof("2001:db8::1"))
    assert [command[0] for command in calls] == ["EVALSHA", "EVALSHA"]
