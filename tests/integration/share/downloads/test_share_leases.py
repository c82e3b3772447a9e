"""One download is one lease: what clients ask for in a row, and which of it takes a use. The table of ADR 21."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import httpx
import psycopg
import pytest

from tests.integration.share.asking import change, download_url, served
from tests.integration.share.running_share import SharedFile, ShareService

SIZE = 20_000_000
WHOLE = None


def path_of(share: SharedFile, kind: str) -> str:
    return (
        {"code": "/share/select/?code=", "link": "/f/", "page": "/m/"}[kind]
        + share.code
        + ("/download" if kind == "page" else "")
    )


def ask(client: httpx.Client, path: str, ranges: str | None, if_range: str | None = None) -> httpx.Response:
    headers = {"Range": f"bytes={ranges}"} if ranges else {}
    return client.get(path, headers=headers | ({"If-Range": if_range} if if_range is not None else {}))


def used(service: ShareService, share: SharedFile) -> int:
    with psycopg.connect(service.database_url) as connection:
        row = connection.execute("select used_count from share where id = %s", [share.id]).fetchone()
    assert row is not None
    return row[0]


CASES: dict[str, list[str | None]] = {
    "curl": [WHOLE],
    "wget -c, after three breaks": [WHOLE, "4000000-", "9000000-", "19000000-"],
    "a break in the first bytes": [WHOLE, "1000-", "5000000-"],
    "aria2 -x8": [WHOLE, *(f"{n * 2500000}-{(n + 1) * 2500000 - 1}" for n in range(1, 8))],
    "axel -n4": ["0-", "0-4999999", "5000000-9999999", "10000000-14999999", "15000000-"],
    "curl -r, in pieces": ["0-", "0-9", "10-19"],
    "a probe, then the whole": ["0-0", WHOLE],
    "Safari": ["0-1", "0-19999999", "19900000-19999999", "65536-19999999"],
    "Chromium in a page": ["0-", "19900000-", "131072-", *(f"{n * 1000000}-" for n in range(2, 19))],
    "ranges without a probe": [f"{n * 5000000}-{(n + 1) * 5000000 - 1}" for n in (2, 0, 3, 1)],
}


@pytest.mark.parametrize("kind", ["code", "link", "page"])
@pytest.mark.parametrize("client_name", CASES)
def test_what_a_client_asks_for_one_copy_takes_one_use(service: ShareService, client_name: str, kind: str) -> None:
    share, client = service.shared(form=kind, uses=1, size=SIZE), service.client()
    for ranges in CASES[client_name]:
        assert served(ask(client, path_of(share, kind), ranges)), ranges
    assert used(service, share) == 1
    assert not served(ask(client, path_of(share, kind), WHOLE))


@pytest.mark.parametrize("name", ["film.mp4", "song.mp3"])
def test_what_chromium_plays_is_fetched_as_a_page_first(service: ShareService, name: str) -> None:
    share, client = service.share_link(uses=1, size=SIZE, name=name), service.client()
    path = path_of(share, "link")
    for ranges in (WHOLE, "0-", "19900000-", "65536-"):
        assert served(ask(client, path, ranges)), ranges
    assert not served(ask(client, path, "0-"))
    assert not served(ask(client, path, WHOLE))
    assert used(service, share) == 1
    # A code always leads to an attachment, which no browser fetches twice.
    code = service.shared(uses=1, size=SIZE, name=name)
    assert served(ask(client, path_of(code, "code"), WHOLE))
    assert not served(ask(client, path_of(code, "code"), "0-"))


def test_a_probe_takes_nothing_whoever_sends_it(service: ShareService) -> None:
    share = service.share_link(uses=1, size=SIZE)
    for ranges in ("0-0", "0-1", "0-0"):
        assert ask(service.client(), path_of(share, "link"), ranges).headers["x-store-range"] == f"bytes={ranges}"
    assert used(service, share) == 0


def test_a_range_beyond_the_end_takes_nothing(service: ShareService) -> None:
    share = service.share_link(uses=1, size=SIZE)
    for ranges in (f"{SIZE}-", "-0", "9999999999999999999-"):
        answer = ask(service.client(), path_of(share, "link"), ranges)
        assert answer.headers["x-store-range"] == f"bytes={SIZE}-"
    assert used(service, share) == 0


def test_the_gateway_is_told_the_range_in_plain_numbers(service: ShareService) -> None:
    share, client = service.share_link(uses=1, size=SIZE), service.client()
    assert "x-store-range" not in ask(client, path_of(share, "link"), WHOLE).headers
    for ranges, told in (("5000000-9999999999999999999", "5000000-19999999"), ("-5", "19999995-19999999")):
        assert ask(client, path_of(share, "link"), ranges).headers["x-store-range"] == f"bytes={told}"
    uncounted = service.share_link(size=SIZE)
    assert "x-store-range" not in ask(client, path_of(uncounted, "link"), "5-9").headers


RANGES = (WHOLE, "0-", f"0-{SIZE - 1}", f"-{SIZE}", "-99999999", "0-0", "0-9", "0-1,2-", "0-,0-", "-", "5-3", "x")
VALIDATORS = (None, "", "zzz", '"zzz"', 'W/"zzz"', "Sat, 21 Nov 2020 21:21:21 GMT")


@pytest.mark.parametrize("kind", ["code", "link", "page"])
def test_no_header_gives_a_second_copy(service: ShareService, kind: str) -> None:
    share, client = service.shared(form=kind, uses=1, size=SIZE), service.client()
    path = path_of(share, kind)
    assert served(ask(client, path, WHOLE))
    for ranges, if_range in product(RANGES, VALIDATORS):
        answer = ask(client, path, ranges, if_range)
        assert not served(answer), (ranges, if_range)
        assert ranges is None or answer.status_code >= 400, (ranges, if_range)
    for if_range in VALIDATORS[1:]:
        answer = ask(client, path, "1-", if_range)
        # The gateway serves this range or, if the tag is another one, nothing.
        assert not served(answer) or answer.headers["x-store-range"] == f"bytes=1-{SIZE - 1}"
        assert served(answer) == (if_range == '"zzz"')
    assert used(service, share) == 1


def test_a_client_of_ranges_begins_again_once_and_soon(service: ShareService) -> None:
    share, client = service.share_link(uses=1, size=SIZE), service.client()
    path = path_of(share, "link")
    assert [served(ask(client, path, "0-")) for _ in range(4)] == [True, True, False, False]
    late = service.share_link(uses=1, size=SIZE)
    assert served(ask(client, path_of(late, "link"), "0-"))
    change(service, "update lease set started_at = started_at - interval '31 seconds'")
    assert not served(ask(client, path_of(late, "link"), "0-"))
    assert not served(ask(client, path_of(late, "link"), "1000-"))
    assert served(ask(client, path_of(late, "link"), "70000-"))


def test_a_lease_ends_after_many_times_the_size(service: ShareService) -> None:
    share, client = service.share_link(uses=1, size=SIZE), service.client()
    path = path_of(share, "link")
    assert served(ask(client, path, WHOLE))
    answers = [served(ask(client, path, f"{SIZE // 2}-")) for _ in range(40)]
    assert answers == [True] * 30 + [False] * 10


def test_with_uses_left_a_second_copy_takes_one(service: ShareService) -> None:
    share, client = service.share_link(uses=3, size=SIZE), service.client()
    path = path_of(share, "link")
    for expected, ranges in ((1, WHOLE), (2, WHOLE), (3, "0-"), (3, "0-9999999"), (3, "10000000-")):
        assert served(ask(client, path, ranges))
        assert used(service, share) == expected
    assert not served(ask(client, path, WHOLE))


def test_a_key_shown_by_other_addresses_has_the_same_lease(service: ShareService) -> None:
    share = service.shared(uses=1, size=SIZE)
    url = download_url(service.client(), share.code)
    assert served(service.client().get(url))
    for if_range in (None, "zzz", None, None):
        answer = ask(service.client(), url, "0-", if_range)
        assert (answer.status_code, answer.json()) == (404, {"detail": "文件已过期"})
    assert [served(ask(service.client(), url, "1-")) for _ in range(3)] == [True, False, False]


def test_ranges_at_once_are_one_download_though_there_are_uses_left(service: ShareService) -> None:
    share, client = service.share_link(uses=5, size=SIZE), service.client()
    asked = [f"{n * 2000000}-{(n + 1) * 2000000 - 1}" for n in range(10)]
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda ranges: served(ask(client, path_of(share, "link"), ranges)), asked))
    assert all(answers)
    assert used(service, share) == 1


def test_six_whole_ones_at_once_are_six_downloads(service: ShareService) -> None:
    share, client = service.share_link(uses=1, size=SIZE), service.client()

    def fetch(_: int) -> bool:
        return served(client.get(path_of(share, "link")))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(fetch, range(6))) == 1
    assert used(service, share) == 1


def test_an_empty_file_takes_a_use_like_any_other(service: ShareService) -> None:
    share, client = service.share_link(uses=1, size=0), service.client()
    assert ask(client, path_of(share, "link"), "0-").headers["x-store-range"] == "bytes=0-"
    assert served(ask(client, path_of(share, "link"), WHOLE))
    assert not served(ask(client, path_of(share, "link"), WHOLE))


@pytest.mark.parametrize("ranges", ["0-", "5-9", "-1"])
def test_no_miss_answers_a_range_with_200(service: ShareService, ranges: str) -> None:
    ended = service.shared(uses=1, size=SIZE)
    assert served(service.client().get(path_of(ended, "code")))
    client = service.client()
    asked: list[tuple[str, Any]] = [(ended.code, "文件已过期"), ("ZZZZ0", "文件不存在")]
    for code, text in asked:
        answer = ask(client, f"/share/select/?code={code}", ranges)
        assert (answer.status_code, answer.json()) == (404, {"detail": text})
