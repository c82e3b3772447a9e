"""Ranges and conditions of downloads, which the gateway judges: the answers are the same from every store."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from tests.integration.gateway.running_gateway import CONTENT, DECIDED, STORE_KINDS, TAG, Door, open_door

DOWNLOAD = "/share/download?object"
OTHER_VALIDATORS = ['"other"', f"W/{TAG}", TAG.strip('"'), "Sat, 21 Nov 2020 21:21:21 GMT", "nonsense"]


@pytest.fixture(scope="module", params=STORE_KINDS)
async def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Door]:
    async with open_door(tmp_path_factory.mktemp("conditions"), request.param) as door:
        yield door


@pytest.fixture
async def client(door: Door) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door.url, timeout=30) as client:
        yield client


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=2-4", 2, 5), ("bytes=-3", len(CONTENT) - 3, len(CONTENT)), ("bytes=0-", 0, None)],
)
async def test_a_range_is_answered_with_that_part(client: httpx.AsyncClient, asked: str, start: int, end: int | None):
    response = await client.get(DOWNLOAD, headers={"Range": asked})
    end = end or len(CONTENT)
    assert (response.status_code, response.content) == (206, CONTENT[start:end])
    assert response.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert response.headers["repr-digest"] == DECIDED["Repr-Digest"]


@pytest.mark.parametrize(
    "asked",
    [
        *("x", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "lines=1-2", "bytes=5-2", "bytes=999999-5"),
        *("bytes=0-1,5-9", "bytes=0-99999999999999999999", "bytes=" + ",".join("0-" for _ in range(500))),
    ],
)
async def test_what_is_not_one_range_stands_for_the_whole(client: httpx.AsyncClient, asked: str):
    response = await client.get(DOWNLOAD, headers={"Range": asked})
    assert (response.status_code, response.content) == (200, CONTENT)


async def test_two_lines_of_ranges_stand_for_the_whole(client: httpx.AsyncClient):
    for lines in (["x", "bytes=0-1"], ["bytes=0-1", "x"], ["bytes=0-1", "bytes=5-9"]):
        response = await client.get(DOWNLOAD, headers=[("Range", line) for line in lines])
        assert (response.status_code, response.content) == (200, CONTENT)


@pytest.mark.parametrize("asked", ["bytes=999999-", f"bytes={len(CONTENT)}-{len(CONTENT)}", "bytes=-0", "bytes=-00"])
async def test_a_range_beyond_the_end_is_416_in_our_own_words_with_the_length(client: httpx.AsyncClient, asked: str):
    response = await client.get(DOWNLOAD, headers={"Range": asked})
    assert response.status_code == 416
    assert response.json() == {"detail": "Requested Range Not Satisfiable"}
    assert response.headers["content-range"] == f"bytes */{len(CONTENT)}"
    assert not {"content-disposition", "etag", "x-store-length"} & set(response.headers)


@pytest.mark.parametrize("asked", ["bytes=0-", "bytes=0-0", "bytes=-1"])
async def test_no_range_of_nothing_can_be_satisfied(client: httpx.AsyncClient, door: Door, asked: str):
    await asyncio.to_thread(door.store.put, "empty", [], 0)
    door.service.length = 0
    try:
        part = await client.get("/share/download?empty", headers={"Range": asked})
        whole = await client.get("/share/download?empty")
    finally:
        door.service.length = len(CONTENT)
    assert (part.status_code, part.headers["content-range"]) == (416, "bytes */0")
    assert (whole.status_code, whole.content) == (200, b"")


@pytest.mark.parametrize("known", [TAG, f"W/{TAG}", f'"other", {TAG}', "*"])
async def test_an_unchanged_file_is_304(client: httpx.AsyncClient, known: str):
    for more in ({}, {"Range": "bytes=2-4"}, {"If-Modified-Since": "Sat, 21 Nov 2020 21:21:21 GMT"}):
        response = await client.get(DOWNLOAD, headers={"If-None-Match": known, **more})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == TAG
    head = await client.head(DOWNLOAD, headers={"If-None-Match": known})
    assert (head.status_code, head.headers["etag"]) == (304, TAG)


@pytest.mark.parametrize("known", ['"other"', TAG.strip('"'), ""])
async def test_a_changed_file_is_sent(client: httpx.AsyncClient, known: str):
    response = await client.get(DOWNLOAD, headers={"If-None-Match": known})
    assert (response.status_code, response.content) == (200, CONTENT)


@pytest.mark.parametrize("expected", [TAG, f'"other", {TAG}', "*"])
async def test_a_file_that_is_the_expected_one_is_sent(client: httpx.AsyncClient, expected: str):
    response = await client.get(DOWNLOAD, headers={"If-Match": expected})
    assert (response.status_code, response.content) == (200, CONTENT)


@pytest.mark.parametrize("expected", ['"other"', f"W/{TAG}"])
async def test_a_file_that_is_not_the_expected_one_is_412(client: httpx.AsyncClient, expected: str):
    response = await client.get(DOWNLOAD, headers={"If-Match": expected, "If-None-Match": TAG})
    assert (response.status_code, response.json()) == (412, {"detail": "Precondition Failed"})
    assert "etag" not in response.headers


async def test_dates_are_no_condition_because_a_download_has_none(client: httpx.AsyncClient):
    for name in ("If-Modified-Since", "If-Unmodified-Since"):
        for date in ("Sat, 21 Nov 2020 21:21:21 GMT", "Thu, 21 Nov 2120 21:21:21 GMT"):
            response = await client.get(DOWNLOAD, headers={name: date})
            assert (response.status_code, response.content) == (200, CONTENT)


async def test_if_range_resumes_the_same_file(client: httpx.AsyncClient):
    response = await client.get(DOWNLOAD, headers={"Range": "bytes=5-9", "If-Range": TAG})
    assert (response.status_code, response.content) == (206, CONTENT[5:10])


@pytest.mark.parametrize("validator", OTHER_VALIDATORS)
async def test_if_range_never_joins_two_files(client: httpx.AsyncClient, validator: str):
    response = await client.get(DOWNLOAD, headers={"Range": "bytes=5-9", "If-Range": validator})
    assert (response.status_code, response.content) == (200, CONTENT)


@pytest.mark.parametrize("asked", [None, "bytes=0-", "bytes=5-99999999999999999999", "bytes=0-1,5-9", "x"])
async def test_where_the_service_says_which_range_no_other_is_served(
    client: httpx.AsyncClient, door: Door, asked: str | None
):
    door.service.extra = {"X-Store-Range": "bytes=5-9"}
    try:
        answer = await client.get(DOWNLOAD, headers={"Range": asked} if asked else {})
    finally:
        door.service.extra = {}
    assert (answer.status_code, answer.content) == (206, CONTENT[5:10])
    assert "x-store-range" not in answer.headers


@pytest.mark.parametrize("validator", OTHER_VALIDATORS)
async def test_where_the_service_says_which_range_if_range_never_gives_the_whole(
    client: httpx.AsyncClient, door: Door, validator: str
):
    door.service.extra = {"X-Store-Range": "bytes=5-9"}
    try:
        headers = {"Range": "bytes=5-9", "If-Range": validator}
        other = await client.get(DOWNLOAD, headers=headers)
        same = await client.get(DOWNLOAD, headers=headers | {"If-Range": TAG})
    finally:
        door.service.extra = {}
    assert (other.status_code, other.json()) == (412, {"detail": "Precondition Failed"})
    assert (same.status_code, same.content) == (206, CONTENT[5:10])
