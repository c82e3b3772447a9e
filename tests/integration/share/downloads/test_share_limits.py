"""The budgets and the policy of the share service, and what it does when what it stands on is down."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.share.asking import nowhere
from tests.integration.share.running_share import Start

BLOCKED = (423, {"detail": "请求次数过多，请稍后再试"})


def guess(client: httpx.Client, code: str = "ZZZZ0") -> tuple[int, Any]:
    answer = client.post("/share/select/", json={"code": code})
    return answer.status_code, answer.json()


def share_text(client: httpx.Client, **fields: Any) -> str:
    return client.post("/share/text/", data={"text": "a text", **fields}).json()["detail"]["code"]


def test_wrong_codes_block_an_address_and_then_right_ones_too(start: Start) -> None:
    with start(error_count=3) as service:
        client, other = service.client(), service.client()
        code = share_text(client)
        assert [guess(client)[0] for _ in range(3)] == [200] * 3
        assert guess(client) == guess(client, code) == BLOCKED
        for path in (f"/share/select/?code={code}", f"/share/download?code={code}&key={'0' * 64}"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()) == BLOCKED
            assert int(answer.headers["retry-after"]) >= 1
        assert guess(other, code)[1]["code"] == 200


def test_bad_keys_are_guesses(start: Start) -> None:
    with start(error_count=3) as service:
        client = service.client()
        codes = [client.get(f"/share/download?code=ZZZZ0&key={n:064x}").status_code for n in range(4)]
        assert codes == [403, 403, 403, 423]


def test_right_codes_are_given_back_however_many_come_at_once(start: Start) -> None:
    with start(error_count=3) as service:
        client = service.client()
        code = share_text(client, expire_style="forever")
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: guess(client, code)[0], range(60)))
        assert answers == [200] * 60


def test_guesses_sent_at_once_do_not_slip_past_the_count(start: Start) -> None:
    with start(error_count=5) as service:
        client = service.client()
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: guess(client)[0], range(40)))
        assert answers.count(200) == 5
        assert answers.count(423) == 35


def test_the_addresses_of_one_ipv6_network_share_a_budget(start: Start) -> None:
    network = f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}"
    with start(error_count=3) as service:
        answers = [guess(service.client(f"{network}::{n}"))[0] for n in range(1, 5)]
        assert answers == [200, 200, 200, 423]


def test_wrong_codes_from_many_addresses_block_those_that_guessed_wrong(start: Start) -> None:
    count = 5
    # Everyone's budget is one of the whole system: this one differs from the others' by its count.
    with start(guess_global_count=count) as service:
        code = share_text(service.client(), expire_style="forever")
        guessers = [service.client() for _ in range(count)]
        assert [guess(guesser)[0] for guesser in guessers] == [200] * count
        for guesser in guessers:
            assert guess(guesser) == guess(guesser, code) == BLOCKED
        assert guessers[0].get("/share/metadata/", params={"code": code}).status_code == 423
        assert guess(service.client(), code)[1]["code"] == 200
        assert service.client().get("/share/metadata/", params={"code": code}).status_code == 200
        late = service.client()
        assert [guess(late, code)[1]["code"] for _ in range(3)] == [200] * 3
        assert [guess(late)[0], guess(late)[0], guess(late, code)[0]] == [200, 423, 423]
        asking = service.client()
        statuses = [asking.get("/share/metadata/", params={"code": "ZZZZ0"}).status_code for _ in range(2)]
        assert statuses == [200, 423]


def test_guesses_sent_at_once_do_not_slip_past_the_count_when_everybodys_is_used_up(start: Start) -> None:
    with start(error_count=5, guess_global_count=4) as service:
        for _ in range(4):
            guess(service.client())
        client = service.client()
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: guess(client)[0], range(40)))
        assert 1 <= answers.count(200) <= 5
        assert answers.count(200) + answers.count(423) == 40


def test_every_look_at_metadata_counts(start: Start) -> None:
    with start(error_count=3) as service:
        client = service.client()
        code = share_text(client)
        statuses = [client.get("/share/metadata/", params={"code": code}).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 423]
        assert guess(client, code)[0] == 200


def test_texts_are_limited_by_address_and_failed_ones_are_not_counted(start: Start) -> None:
    with start(upload_count=2) as service:
        client = service.client()
        for _ in range(5):
            assert client.post("/share/text/", data={"text": "x", "expire_style": "week"}).status_code == 400
        assert [client.post("/share/text/", data={"text": "x"}).status_code for _ in range(2)] == [200] * 2
        answer = client.post("/share/text/", data={"text": "x"})
        assert (answer.status_code, answer.json()) == (403, {"detail": "Upload rate limit"})


def test_a_bad_authorization_is_ignored_while_guests_may_upload(start: Start) -> None:
    with start() as service:
        answer = service.client().post("/share/text/", data={"text": "x"}, headers={"Authorization": "Bearer null"})
        assert answer.status_code == 200


def test_guests_are_turned_away_when_uploads_are_closed(start: Start) -> None:
    with start(open_upload=False) as service:
        client = service.client()
        answer = client.post("/share/text/", data={"text": "x"})
        assert (answer.status_code, answer.json()) == (403, {"detail": "本站未开启游客上传，如需上传请先登录后台"})
        answer = client.post("/share/text/", data={"text": "x"}, headers={"Authorization": "Bearer null"})
        assert answer.status_code == 401
        assert client.post("/").json()["detail"]["openUpload"] == 0


def test_a_malformed_share_is_refused(start: Start) -> None:
    body = {"origin": "o", "file_id": str(uuid4()), "name": "n", "size": 1, "expires_at": None, "uses": None}
    changes: list[dict[str, Any]] = [
        {"name": "a\0b"},
        {"origin": ""},
        {"file_id": "x"},
        {"size": -1},
        {"uses": 0},
        {"uses": 2**31},
        {"expires_at": "2026-01-01T00:00:00"},
    ]
    with start() as service:
        for change in changes:
            assert service.internal("POST", "/internal/shares", {**body, **change}).status_code == 422


def test_nothing_is_answered_about_codes_while_nobody_counts(start: Start) -> None:
    with start(valkey_url=f"redis://{nowhere()}/0") as service:
        client = service.client()
        for answer in (
            client.post("/share/select/", json={"code": "ZZZZ0"}),
            client.get("/share/download", params={"code": "ZZZZ0", "key": "0" * 64}),
            client.post("/share/metadata/", json={"code": "ZZZZ0"}),
            client.post("/share/text/", data={"text": "x"}),
            client.get("/internal/health/ready"),
        ):
            assert answer.status_code == 503
            assert "retry-after" in answer.headers
        assert client.post("/").status_code == 200


def test_a_database_that_is_down_keeps_nothing_from_starting(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.db.ACQUIRE_SECONDS", 0.2)
    with start(database_url=f"postgresql://nobody:x@{nowhere()}/none") as service:
        client = service.client()
        assert client.get("/internal/health/live").status_code == 200
        for answer in (
            client.get("/internal/health/ready"),
            client.post("/share/select/", json={"code": "ZZZZ0"}),
        ):
            assert answer.status_code == 503
            assert "retry-after" in answer.headers
