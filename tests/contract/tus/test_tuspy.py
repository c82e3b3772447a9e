"""tuspy, tus's own client for Python, unmodified. `tests/clients` has the one for JavaScript."""

import io
import os
import time

import httpx
import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from deploy.local.stack import StartedStack

KIB = 1024
SIZE = 5 * KIB * KIB + 17
SECONDS = 60
METADATA = {"filename": "sent by tuspy.bin", "expire_style": "day", "expire_value": "1"}


@pytest.fixture
def content() -> bytes:
    return os.urandom(SIZE)


def arrived(stack: StartedStack, url: str | None) -> bytes:
    """The content under the code of a complete upload, once it is verified. tuspy itself has no place for the code."""
    assert url is not None
    code = httpx.head(url, headers={"Tus-Resumable": "1.0.0"}).headers["Waystation-Code"]
    until = time.monotonic() + SECONDS
    while (answer := httpx.get(f"{stack.url}/share/select/", params={"code": code})).status_code == 425:
        assert time.monotonic() < until
        time.sleep(0.1)
    return answer.content


@pytest.mark.parametrize(
    ("path", "chunk", "checksum"),
    [("/files/", SIZE, False), ("/v1/uploads", 2048 * KIB, False), ("/files/", 2048 * KIB, True)],
)
def test_what_it_sends_arrives_identical(
    stack: StartedStack, content: bytes, path: str, chunk: int, checksum: bool
) -> None:
    uploader = TusClient(stack.url + path).uploader(
        file_stream=io.BytesIO(content), chunk_size=chunk, metadata=METADATA, upload_checksum=checksum
    )
    uploader.upload()
    assert arrived(stack, uploader.url) == content


def test_it_pauses_and_another_one_goes_on(stack: StartedStack, content: bytes) -> None:
    client = TusClient(f"{stack.url}/files/")
    first = client.uploader(file_stream=io.BytesIO(content), chunk_size=KIB * KIB, metadata=METADATA)
    first.upload(stop_at=2 * KIB * KIB)
    second = client.uploader(file_stream=io.BytesIO(content), chunk_size=KIB * KIB, url=first.url)
    assert second.offset == 2 * KIB * KIB
    second.upload()
    assert arrived(stack, second.url) == content


async def test_its_asynchronous_uploader_works_as_well(stack: StartedStack, content: bytes) -> None:
    uploader = TusClient(f"{stack.url}/files/").async_uploader(
        file_stream=io.BytesIO(content), chunk_size=900 * KIB, metadata=METADATA
    )
    await uploader.upload()
    assert arrived(stack, uploader.url) == content


def test_it_is_told_what_is_wrong(stack: StartedStack, content: bytes) -> None:
    uploader = TusClient(f"{stack.url}/files/").uploader(
        file_stream=io.BytesIO(content), metadata={**METADATA, "expire_value": "soon"}
    )
    with pytest.raises(TusCommunicationError) as refused:
        uploader.upload()
    assert refused.value.status_code == 400
