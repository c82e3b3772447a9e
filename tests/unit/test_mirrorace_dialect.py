"""MirrorAce's envelope, bodies, credentials and times, which two services share."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import cast
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from common import errors
from common.dialects import mirrorace
from common.dialects.mirrorace import BAD_CREDENTIALS, MirrorAceRoute, Refused, identify, mirror_ids, read_fields
from common.errors import DomainError
from common.http import problems
from common.http.forms import Field, FilePart, FormStream
from common.identities import Identities
from common.identity import TokenRevoked
from tests.unit.test_bodies import BOUNDARY, FORM, form, request

URLENCODED = "application/x-www-form-urlencoded"


class Keys:
    """Stands for `Identities` without any keys, and records which ones were asked for."""

    def __init__(self, error: DomainError) -> None:
        self.error, self.asked = error, list[tuple[str, str]]()

    async def of_key(self, key: str, token: str) -> None:
        self.asked.append((key, token))
        raise self.error


def fields(*pairs: tuple[str, str]) -> list[Field]:
    return [Field(name, text) for name, text in pairs]


@pytest.mark.parametrize(
    "error",
    [
        Refused("files is missing"),
        errors.InvalidInput("malformed form"),
        errors.TooLarge("too much"),
        errors.TooSlow("too slow"),
        errors.NotFound("no such key"),
        errors.Conflict("out of order"),
        errors.Forbidden("not yours"),
        errors.RateLimited("too many"),
        TokenRevoked("no such token"),
    ],
)
def test_mistakes_of_the_caller_are_texts_with_http_status_200(error: DomainError) -> None:
    answer = mirrorace.render(error)
    assert answer.status_code == 200
    assert json.loads(bytes(answer.body)) == {"status": "error", "result": error.message}
    assert "www-authenticate" not in answer.headers


def test_failures_of_this_system_have_an_http_error_status() -> None:
    down, full = mirrorace.render(errors.Unavailable("not now")), mirrorace.render(errors.StorageFull("no room"))
    assert (down.status_code, full.status_code) == (503, 507)
    assert int(down.headers["retry-after"]) >= 1
    assert json.loads(bytes(down.body)) == {"status": "error", "result": "not now"}
    assert json.loads(bytes(full.body)) == {"status": "error", "result": "no room"}


def test_success_has_the_same_envelope() -> None:
    answer = mirrorace.success({"size": "7"})
    assert (answer.status_code, json.loads(bytes(answer.body))) == (200, {"status": "success", "result": {"size": "7"}})


async def test_a_wrong_method_and_a_misshaped_request_have_the_envelope() -> None:
    app = FastAPI()
    problems.install(app)

    async def endpoint(number: int) -> None: ...

    router = APIRouter(route_class=MirrorAceRoute)
    router.add_api_route("/api/v1/x", endpoint, methods=["POST"])
    app.include_router(router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://host") as client:
        wrong = await client.get("/api/v1/x")
        assert (wrong.status_code, wrong.json()) == (405, {"status": "error", "result": "Method Not Allowed"})
        misshaped = await client.post("/api/v1/x?number=seven")
        assert (misshaped.status_code, misshaped.json()["status"]) == (200, "error")
        assert isinstance(misshaped.json()["result"], str)


def test_times_are_texts_in_utc() -> None:
    assert mirrorace.date_text(datetime(2018, 10, 23, 1, 2, 3, 999_999, UTC)) == "2018-10-23 01:02:03"
    elsewhere = datetime(2018, 10, 23, 1, 0, 0, 0, timezone(timedelta(hours=2)))
    assert mirrorace.date_text(elsewhere) == "2018-10-22 23:00:00"


def test_mirrors_are_listed_or_indexed_and_other_values_are_ignored() -> None:
    sent = fields(
        ("mirrors[]", "3"), ("mirrors[7]", "12"), ("mirrors[]", " 3 "), ("mirrors[a]", "5"), ("mirrors[]", "x"),
        ("mirrors[]", ""), ("mirrors[]", "-1"), ("mirrors[]", "٣"), ("mirrors[]", "9" * 30), ("mirrors[]", "1.5"),
        ("mirrors", "8"), ("mirrors[1][2]", "9"), ("other[]", "10"), ("mirrors[]", "63"),
    )  # fmt: skip
    assert mirror_ids(sent) == [3, 12, 5, 63]


def test_the_last_value_of_a_name_counts_and_an_empty_one_is_missing() -> None:
    sent = fields(("a", "1"), ("a", "2"), ("b", ""))
    assert mirrorace.value_of(sent, "a") == mirrorace.required(sent, "a") == "2"
    for name in ("b", "c"):
        assert mirrorace.value_of(sent, name) == ""
        with pytest.raises(Refused, match=f"{name} is missing"):
            mirrorace.required(sent, name)


@pytest.mark.parametrize("kind", [URLENCODED, FORM])
async def test_a_body_holds_more_than_a_hundred_mirrors_and_echoed_fields(kind: str) -> None:
    pairs = [("api_key", "k"), *[("mirrors[]", str(number)) for number in range(120)], ("server", "ü")]
    if kind == FORM:
        body = form(*[(f'name="{name}"', text.encode()) for name, text in pairs])
    else:
        body = urlencode(pairs).encode()
    found = await read_fields(request(body, kind, block=4096))
    assert [(field.name, field.text) for field in found] == pairs
    assert mirror_ids(found) == list(range(120))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("", b"a=1"),
        ("text/plain", b"a=1"),
        ("multipart/form-data", b"a=1"),
        (FORM, b"no form"),
        (URLENCODED, b"a=%ff"),
        (URLENCODED, b"\xff=1"),
        (URLENCODED, b"a=1&" * (mirrorace.FIELD_COUNT + 1)),
        (FORM, form(*[('name="a"', b"")] * (mirrorace.FIELD_COUNT + 1))),
    ],
)
async def test_a_malformed_body_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(errors.InvalidInput):
        await read_fields(request(body, kind, block=65536))


async def test_a_body_that_is_too_large_is_refused() -> None:
    with pytest.raises(errors.TooLarge):
        await read_fields(request(b"a=" + b"x" * mirrorace.BODY_LIMIT, URLENCODED, block=65536))


async def test_the_parts_of_the_net_client_are_read() -> None:
    parts = [
        ("form-data; name=api_key\r\nContent-Type: text/plain; charset=utf-8", b"k"),
        ('form-data; name="mirrors[]"\r\nContent-Type: text/plain; charset=utf-8', b"7"),
        ('form-data; name="files[]"; filename="a b.bin"; filename*=utf-8\'\'a%20b.bin', b"content"),
    ]
    body = b"".join(
        b"--%b\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % (BOUNDARY.encode(), head.encode(), value)
        for head, value in parts
    )
    stream = FormStream(
        request(body + b"--%b--\r\n" % BOUNDARY.encode(), f'multipart/form-data; boundary="{BOUNDARY}"'),
        count=mirrorace.FIELD_COUNT,
        field_limit=mirrorace.FIELD_LIMIT,
    )
    found = list[Field]()
    async for part in stream:
        if isinstance(part, FilePart):
            assert (part.name, part.filename) == ("files[]", "a b.bin")
            assert b"".join([block async for block in part]) == b"content"
        else:
            found.append(part)
    assert (mirrorace.value_of(found, "api_key"), mirror_ids(found)) == ("k", [7])


@pytest.mark.parametrize(
    "sent",
    [
        fields(),
        fields(("api_key", "a" * 32)),
        fields(("api_token", "a" * 32)),
        fields(("api_key", "A" * 32), ("api_token", "a" * 32)),
        fields(("api_key", "a" * 31), ("api_token", "a" * 32)),
        fields(("api_key", "a" * 32), ("api_token", "a" * 32 + "\n")),
        fields(("api_key", "\0" * 32), ("api_token", "g" * 32)),
    ],
)
async def test_a_malformed_key_is_refused_without_a_lookup(sent: list[Field]) -> None:
    keys = Keys(TokenRevoked())
    with pytest.raises(Refused, match=BAD_CREDENTIALS):
        await identify(cast("Identities", keys), sent)
    assert keys.asked == []


async def test_an_unknown_key_is_refused_and_an_outage_is_reported_as_one() -> None:
    sent = fields(("api_key", "0" * 32), ("api_token", "f" * 32))
    keys = Keys(TokenRevoked())
    with pytest.raises(Refused, match=BAD_CREDENTIALS):
        await identify(cast("Identities", keys), sent)
    assert keys.asked == [("0" * 32, "f" * 32)]
    with pytest.raises(errors.Unavailable):
        await identify(cast("Identities", Keys(errors.Unavailable())), sent)
