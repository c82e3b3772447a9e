"""Downloads by FileCodeBox's codes and keys, over HTTP on real engines. The upload service is a stand-in."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest

from common.errors import Gone, NotFound, NotReady
from tests.integration.share.asking import download_url, said, served, share_text
from tests.integration.share.running_share import SHA256, ShareService

UNKNOWN = {"code": 404, "message": "ok", "msg": "ok", "detail": "文件不存在"}
ENDED = {"code": 404, "message": "ok", "msg": "ok", "detail": "文件已过期"}
ENDED_RANGE = (404, {"detail": "文件已过期"})
"""The answer to a request for a range, which a client must not take for a part of the file."""


def uses_left(client: httpx.Client, code: str) -> int | None:
    return client.get("/share/metadata/", params={"code": code}).json()["detail"]["remaining_downloads"]


def test_a_download_is_handed_to_the_gateway_with_its_headers(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(name='a "ü"\r\n.bin')
    detail = client.post("/share/select/", json={"code": code}).json()["detail"]
    assert detail["text"] == detail["download_url"]
    assert detail["content"] is None
    parts = urlsplit(detail["download_url"])
    assert parts.path == "/share/download"
    assert parse_qs(parts.query)["code"] == [code]
    assert len(parse_qs(parts.query)["key"][0]) == 64
    answer = client.get(detail["download_url"])
    assert served(answer)
    assert answer.headers["x-store-path"].endswith("?for=GET")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert (
        answer.headers["content-disposition"]
        == "attachment; filename=\"a _____.bin\"; filename*=UTF-8''a%20%22%C3%BC%22%0D%0A.bin"
    )
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert "repr-digest" in answer.headers
    assert len(SHA256) == 32


def test_a_wrong_key_is_refused_alike_for_codes_that_exist_and_not(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file()
    other = parse_qs(urlsplit(download_url(client, service.share_file())).query)["key"][0]
    answers = [
        client.get("/share/download", params={"key": key, "code": one})
        for key in ("0" * 64, "x", other)
        for one in (code, "ZZZZ0")
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(403, '{"detail":"下载鉴权失败"}')}


def test_each_new_download_takes_a_use(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=3)
    url = download_url(client, code)
    assert served(client.get(url))
    # An attachment is never fetched again from its first byte, as a video is.
    assert served(client.get(url, headers={"Range": "bytes=0-9"}))
    assert uses_left(client, code) == 1
    assert served(client.get("/share/select/", params={"code": code}))
    assert client.get(url).json() == ENDED


def test_a_resume_takes_nothing_even_after_the_last_use(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    url = download_url(client, code)
    assert served(client.get(url))
    assert served(client.get(url, headers={"Range": "bytes=50-"}))
    assert served(client.get(url, headers={"Range": "bytes=-50"}))
    assert served(client.head(url))
    for ranges in ("bytes=0-", "bytes=-100", "bytes=50-60,70-80"):
        assert said(client.get(url, headers={"Range": ranges})) == ENDED_RANGE
    assert client.get(url).json() == ENDED
    assert client.get("/share/metadata/", params={"code": code}).json() == ENDED


def test_a_resume_is_for_whoever_paid(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=2)
    mine, other = download_url(client, code), download_url(client, code)
    assert served(client.get(mine))
    assert served(client.get(other, headers={"Range": "bytes=50-"}))
    with_another_key = client.get(other.replace(other[20:30], "0" * 10), headers={"Range": "bytes=50-"})
    assert with_another_key.status_code == 403


def test_a_middle_part_without_a_lease_takes_a_use_and_opens_one(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    url = download_url(client, code)
    assert served(client.get(url, headers={"Range": "bytes=10-19"}))
    assert served(client.get(url, headers={"Range": "bytes=20-29"}))
    assert client.get(url).json() == ENDED


def test_an_old_key_starts_nothing_but_resumes_what_it_has_paid_for(
    client: httpx.Client, service: ShareService
) -> None:
    code = service.share_file(uses=5)
    issued_at = datetime.now(UTC) - timedelta(seconds=1805)
    old = service.keys.issue(code, issued_at)
    url = f"/share/download?key={old}&code={code}"
    for headers in ({}, {"Range": "bytes=0-"}, {"Range": "bytes=50-"}):
        assert client.get(url, headers=headers).status_code == 403
    assert client.head(url).status_code == 403
    with psycopg.connect(service.database_url) as connection:
        connection.execute(
            "insert into lease (share_id, holder, expires_at) select id, %s, now() + interval '1 minute' from share"
            " where code = %s",
            [service.keys.check(old, code).holder, code],
        )
    assert served(client.get(url, headers={"Range": "bytes=50-"}))
    assert served(client.head(url))
    assert client.get(url).status_code == 403
    assert uses_left(client, code) == 5


def test_a_resume_ends_with_the_share_s_time(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=2, expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    url = download_url(client, code)
    assert served(client.get(url))
    assert served(client.get(url, headers={"Range": "bytes=50-"}))
    with psycopg.connect(service.database_url) as connection:
        connection.execute("update share set expires_at = now() where code = %s", [code])
    assert said(client.get(url, headers={"Range": "bytes=50-"})) == ENDED_RANGE


def test_without_a_key_the_lease_is_the_address_s(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    assert served(client.get("/share/select", params={"code": code}))
    assert served(client.get("/share/select", params={"code": code}, headers={"Range": "bytes=5-"}))
    elsewhere = service.client()
    ranged = elsewhere.get("/share/select", params={"code": code}, headers={"Range": "bytes=5-"})
    assert said(ranged) == ENDED_RANGE


def test_head_takes_nothing(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    url = download_url(client, code)
    for answer in (client.head(url), client.head("/share/select/", params={"code": code})):
        assert served(answer)
        assert answer.headers["x-store-path"].endswith("?for=HEAD")
    assert uses_left(client, code) == 1


def test_more_than_sixteen_ranges_are_refused(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    url = download_url(client, code)
    for ranges, status in ((17, 416), (16, 200)):
        header = "bytes=" + ",".join(f"{n}-{n}" for n in range(ranges))
        assert client.get(url, headers={"Range": header}).status_code == status


@pytest.mark.parametrize(("error", "kind"), [(NotFound(), "gone"), (Gone(), "corrupt")])
def test_a_file_that_cannot_be_served_is_unknown_and_costs_nothing(
    client: httpx.Client, service: ShareService, error: NotFound | Gone, kind: str
) -> None:
    file_id = uuid4()
    code = service.share_file(uses=1, file_id=str(file_id))
    url = download_url(client, code)
    service.upload.says[file_id] = error
    assert client.get(url).json() == UNKNOWN, kind
    # The password that it may have had is gone too, so nothing is told of it.
    assert client.get("/share/metadata/", params={"code": code}).json() == UNKNOWN
    assert client.post("/share/select/", json={"code": code}).json() == UNKNOWN
    del service.upload.says[file_id]
    assert uses_left(client, code) == 1


def test_a_file_under_verification_is_425_and_costs_nothing(client: httpx.Client, service: ShareService) -> None:
    file_id = uuid4()
    code = service.share_file(uses=1, file_id=str(file_id))
    service.upload.says[file_id] = NotReady()
    for _ in range(20):
        answer = client.get(download_url(client, code))
        assert answer.status_code == 425
        assert int(answer.headers["retry-after"]) >= 1
    del service.upload.says[file_id]
    assert served(client.get(download_url(client, code)))


def test_an_upload_service_that_is_down_is_503_and_costs_nothing(client: httpx.Client, service: ShareService) -> None:
    code = service.share_file(uses=1)
    url = download_url(client, code)
    service.upload.is_down = True
    try:
        # Without it nobody knows whether the file has a password, so not even its name is told.
        asked = {"code": code}
        answers = [
            client.get(url),
            client.post("/share/select/", json=asked),
            client.get("/share/select/", params=asked),
        ]
    finally:
        service.upload.is_down = False
    for answer in answers:
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
    assert served(client.get(download_url(client, code)))


def test_of_many_redemptions_of_the_last_use_at_once_one_wins(service: ShareService) -> None:
    code = service.share_file(uses=1)
    clients = [service.client() for _ in range(12)]
    urls = [download_url(client, code) for client in clients]
    barrier = threading.Barrier(len(clients))

    def redeem(client: httpx.Client, url: str) -> httpx.Response:
        barrier.wait()
        return client.get(url)

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(redeem, clients, urls))
    assert sum(served(answer) for answer in answers) == 1
    assert sum(not served(answer) and answer.json() == ENDED for answer in answers) == len(clients) - 1


def test_a_text_is_read_by_one_of_many_at_once(service: ShareService) -> None:
    code = share_text(service.client(), "once", expire_style="count")
    clients = [service.client() for _ in range(12)]
    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(lambda client: client.post("/share/select/", json={"code": code}).json(), clients))
    assert sorted(answer["code"] for answer in answers) == [200] + [404] * 11
