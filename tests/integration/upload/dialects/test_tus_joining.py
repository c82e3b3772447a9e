"""tus: uploads that become one, with an S3 server and with a folder."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx
import pytest

from tests.integration.upload.dialects import tus_client as tus
from tests.integration.upload.dialects.tus_service import is_file, refused, sha256, verify_next
from tests.integration.upload.running_upload import UploadService

MIB = 1024 * 1024


def test_uploads_become_one(service: UploadService) -> None:
    owner = service.auth.sign_up()
    client, contents = service.client(owner), [secrets.token_bytes(size) for size in (700, 0, 6 * MIB, 1)]
    sent = tus.metadata(filename="whole.bin", share="link")

    def final(urls: list[str], by: httpx.Client = client, **more: str) -> httpx.Response:
        return tus.final(by, urls, Upload_Metadata=sent, **more)

    made = len(service.share.made)
    urls = [tus.begun(client, len(content), Upload_Concat="partial") for content in contents]
    assert tus.patch(client, urls[0], 0, contents[0][:300]).status_code == 204
    assert tus.patch(client, urls[0], 300, contents[0][300:]).status_code == 204
    for url, content in zip(urls[2:], contents[2:], strict=True):
        assert "Waystation-File" not in tus.patch(client, url, 0, content).headers
    assert client.head(urls[0]).headers["Upload-Concat"] == "partial"
    assert len(service.share.made) == made
    refused(final(urls, service.client()), 404, "session_not_found")
    refused(final([*urls, urls[0]]), 400, "invalid_input")
    refused(final([]), 400, "invalid_input")
    refused(final([*urls, f"{service.url}/files/x"]), 404, "not_found")
    refused(final(urls, client, Upload_Concat="whole"), 400, "invalid_input")
    # Paths do as well as whole addresses.
    whole = final([url.removeprefix(service.url) for url in urls])
    assert whole.status_code == 201, whole.text
    again, content = final(urls), b"".join(contents)
    assert again.headers["Location"] == whole.headers["Location"]
    assert (service.share.made[made]["name"], service.share.made[made]["form"]) == ("whole.bin", "link")
    refused(final([*urls[:2], tus.begun(client, 0, Upload_Concat="partial")]), 409, "already_joined")
    refused(tus.patch(client, whole.headers["Location"], len(content), b""), 403, "final_upload")
    head = client.head(whole.headers["Location"])
    assert head.headers["Upload-Length"] == head.headers["Upload-Offset"] == str(len(content))
    assert head.headers["Upload-Concat"].startswith("final;")
    assert client.head(urls[0]).status_code == 404
    is_file(service, whole, content)
    ended = [UUID(url.rpartition("/")[2]) for url in [*urls, whole.headers["Location"]]]
    assert service.ask("select count(*) from upload_session where id = any(%s) and cleaned_at is null", ended) == [(0,)]


@pytest.mark.parametrize("lengths_known", [True, False])
def test_pieces_may_still_grow_when_they_are_joined(
    service: UploadService, client: httpx.Client, lengths_known: bool
) -> None:
    contents = [secrets.token_bytes(size) for size in (300, 1, 500)]
    sizes = [len(content) if lengths_known else None for content in contents]
    urls = [tus.begun(client, size, Upload_Concat="partial") for size in sizes]
    assert tus.patch(client, urls[0], 0, contents[0][:100]).status_code == 204
    made = len(service.share.made)
    whole = tus.final(client, urls)
    assert (whole.status_code, "Waystation-File" in whole.headers) == (201, False), whole.text
    address = whole.headers["Location"]
    waiting = client.head(address, headers=tus.HEADERS)
    assert "Upload-Offset" not in waiting.headers
    assert waiting.headers.get("Upload-Length") == ("801" if lengths_known else None)
    assert tus.final(client, urls).headers["Location"] == address
    refused(tus.final(client, urls[::-1]), 409, "already_joined")
    refused(tus.patch(client, address, 0, b"1"), 403, "final_upload")
    # They come to their ends in any order, the last two at once.
    assert tus.patch(client, urls[0], 100, contents[0][100:], Upload_Length="300").status_code == 204
    with ThreadPoolExecutor(2) as sending:
        ends = [
            sending.submit(tus.patch, client, urls[at], 0, contents[at], Upload_Length=str(len(contents[at])))
            for at in (1, 2)
        ]
        assert [end.result().status_code for end in ends] == [204, 204]
    done = client.head(address, headers=tus.HEADERS)
    assert done.headers["Upload-Offset"] == done.headers["Upload-Length"] == "801"
    is_file(service, done, b"".join(contents))
    assert len({made["origin"] for made in service.share.made[made:]}) == 1


@pytest.mark.parametrize("headers", [tus.HEADERS, {}], ids=["tus", "draft"])
@pytest.mark.parametrize("terminated", ["whole", "piece"])
def test_a_whole_and_its_pieces_end_together(
    service: UploadService, client: httpx.Client, terminated: str, headers: dict[str, str]
) -> None:
    urls = [tus.begun(client, 5, Upload_Concat="partial") for _ in range(2)]
    tus.patch(client, urls[0], 0, b"12345")
    address = tus.final(client, urls).headers["Location"]
    assert client.delete(address if terminated == "whole" else urls[1], headers=headers).status_code == 204
    for url in (*urls, address):
        assert client.head(url, headers=tus.HEADERS).status_code == 404
    ids = [UUID(url.rpartition("/")[2]) for url in urls]
    assert service.ask("select count(*) from upload_session where id = any(%s) and cleaned_at is null", ids) == [(0,)]


def test_a_piece_that_goes_on_keeps_the_others(service: UploadService, client: httpx.Client) -> None:
    urls = [tus.begun(client, 5, Upload_Concat="partial") for _ in range(2)]
    urls.append(tus.final(client, urls).headers["Location"])
    ids = [UUID(url.rpartition("/")[2]) for url in urls]
    service.ask("update upload_session set expires_at = now() + interval '1 minute' where id = any(%s)", ids)
    tus.patch(client, urls[0], 0, b"1")
    later = "select count(*) from upload_session where id = any(%s) and expires_at > now() + interval '1 hour'"
    assert service.ask(later, ids) == [(3,)]


def test_a_whole_has_the_digest_that_its_sender_declares(service: UploadService, client: httpx.Client) -> None:
    contents = [secrets.token_bytes(size) for size in (700, 6 * MIB)]
    digest, other = sha256(b"".join(contents)), sha256(b"other")

    def pieces() -> list[str]:
        # Clients such as tus-js-client send their headers with every request.
        urls = [tus.begun(client, len(content), Upload_Concat="partial", Repr_Digest=other) for content in contents]
        for url, content in zip(urls, contents, strict=True):
            assert tus.patch(client, url, 0, content).status_code == 204
        return urls

    def verified(answer: Callable[[], httpx.Response]) -> httpx.Response:
        with ThreadPoolExecutor(1) as asking:
            asked = asking.submit(answer)
            service.run(verify_next)
            return asked.result()

    urls = pieces()
    whole = verified(lambda: tus.final(client, urls, Repr_Digest=digest))
    assert whole.status_code == 201, whole.text
    for more in ({"Repr_Digest": digest}, {}):
        assert tus.final(client, urls, **more).headers["Location"] == whole.headers["Location"]
    refused(tus.final(client, urls, Repr_Digest=other), 409, "already_joined")
    is_file(service, whole, b"".join(contents))
    with service.nothing_left():
        urls = pieces()
        refused(tus.final(client, urls, Repr_Digest="sha-256=:AA==:"), 400, "invalid_input")
        for answer in (verified, lambda again: again()):
            refused(answer(lambda: tus.final(client, urls, Repr_Digest=other)), 400, "digest_mismatch")
        assert client.head(urls[0], headers=tus.HEADERS).status_code == 404
        # Its row says for a while what became of it.
        service.ask("delete from file where state = 'corrupt'")


def test_an_upload_of_one_piece_has_the_digest_that_its_sender_declares(
    service: UploadService, client: httpx.Client
) -> None:
    content = secrets.token_bytes(100)
    url = tus.begun(client, len(content), Repr_Digest=sha256(content))
    is_file(service, tus.patch(client, url, 0, content), content)
    with service.nothing_left():
        url = tus.begun(client, len(content), Repr_Digest=sha256(b"other"))
        with ThreadPoolExecutor(1) as sending:
            sent = sending.submit(tus.patch, client, url, 0, content)
            service.run(verify_next)
            refused(sent.result(), 400, "digest_mismatch")
        # Its row says for a while what became of it.
        service.ask("delete from file where state = 'corrupt'")
