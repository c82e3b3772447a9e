"""A store that answers with URLs: which of them this system reads, and which it refuses."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.upload.mirrors.driving import blocks, content_of, new_path, written
from tests.integration.upload.mirrors.mirror_front import background
from tests.integration.upload.mirrors.mirror_servers import MirrorServer, http
from upload_service.mirrors.drivers import Driver, MirrorDown, MirrorRefused, Place, ReplicaLost, Rules, open_driver


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MirrorServer]:
    with background() as running, http(tmp_path, running) as started:
        yield started


def driver_of(server: MirrorServer, rules: Rules | None = None, **changed: str) -> Driver:
    return open_driver("http", {**server.options, **changed}, rules or server.rules)


def origin(server: MirrorServer) -> str:
    return server.options["url"].removesuffix("/upload")


async def test_the_url_may_be_a_member_of_a_json_answer(server: MirrorServer) -> None:
    driver = driver_of(server, url=f"{origin(server)}/upload.json", url_field="url")
    path = new_path()
    place = await written(driver, path, b"content")
    assert place.url == f"{origin(server)}/files/{path}"
    assert await content_of(driver, place) == b"content"
    await driver.close()


@pytest.mark.parametrize("field", ["ok", "missing"])
async def test_an_answer_without_a_url_is_refused(server: MirrorServer, field: str) -> None:
    for url in ("upload.json", "upload"):
        driver = driver_of(server, url=f"{origin(server)}/{url}", url_field=field)
        with pytest.raises(MirrorRefused):
            await written(driver, new_path(), b"content")
        await driver.close()


async def test_an_answer_that_is_no_url_is_refused(server: MirrorServer) -> None:
    driver = driver_of(server, url=f"{origin(server)}/upload.json")
    with pytest.raises(MirrorRefused):
        await written(driver, new_path(), b"content")
    await driver.close()


async def test_a_repeat_is_recognised_by_its_path(server: MirrorServer) -> None:
    driver, path = driver_of(server), new_path()
    assert await written(driver, path, b"content") == await written(driver, path, b"content")
    assert server.stored() == {path: b"content"}
    await driver.close()


@pytest.mark.parametrize(("start", "length"), [(0, 10), (99_999, 5), (150_000, None), (150_000, 70_000), (300_000, 1)])
async def test_a_server_without_ranges_is_read_from_its_first_byte(
    server: MirrorServer, start: int, length: int | None
) -> None:
    driver, path, content = driver_of(server), new_path(), os.urandom(200_000)
    await written(driver, path, content)
    place = Place(path, f"{origin(server)}/rangeless/{path}")
    end = None if length is None else start + length
    assert await content_of(driver, place, start, length) == content[start:end]
    await driver.close()


class Reader:
    """Stands in for the guarded client, and remembers its requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int | None]] = []

    async def read(self, url: str, start: int, length: int | None) -> AsyncIterator[bytes]:
        self.asked.append((url, start, length))
        yield b"from "
        yield b"elsewhere"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/a", "https://127.0.0.1:{port}/a", "http://localhost:{port}/a", "http://[::1]/a"]
)
async def test_another_origin_is_read_by_the_guarded_client_alone(server: MirrorServer, url: str) -> None:
    place = Place(new_path(), url.format(port=origin(server).rpartition(":")[2]))
    driver = driver_of(server)
    with pytest.raises(MirrorRefused):
        await content_of(driver, place)
    # Our credentials are for the store only, so a file elsewhere is just forgotten.
    await driver.delete(place)
    await driver.close()
    reader = Reader()
    driver = driver_of(server, replace(server.rules, urls=reader))
    assert await content_of(driver, place, 3, 14) == b"from elsewhere"
    assert reader.asked == [(place.url, 3, 14)]
    await driver.close()


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "//127.0.0.1/a", "http://", "http://a@127.0.0.1/", "http://a b/"]
)
async def test_what_is_no_plain_web_address_is_never_read(server: MirrorServer, url: str) -> None:
    reader = Reader()
    driver = driver_of(server, replace(server.rules, urls=reader))
    with pytest.raises(MirrorRefused):
        await content_of(driver, Place(new_path(), url))
    assert reader.asked == []
    await driver.close()


async def test_a_redirect_is_not_followed(server: MirrorServer) -> None:
    driver = driver_of(server, ping_url=f"{origin(server)}/moved")
    with pytest.raises(MirrorRefused):
        await driver.check()
    with pytest.raises(MirrorRefused):
        await content_of(driver, Place(new_path(), f"{origin(server)}/moved"))
    await driver.close()


async def test_a_replica_without_a_url_is_lost(server: MirrorServer) -> None:
    driver = driver_of(server)
    with pytest.raises(ReplicaLost):
        await content_of(driver, Place(new_path()))
    await driver.close()


async def test_a_store_that_deletes_nothing_is_asked_for_nothing(server: MirrorServer) -> None:
    driver, path = driver_of(server, delete_method="none"), new_path()
    place = await written(driver, path, b"content")
    await driver.delete(place)
    assert server.stored() == {path: b"content"}
    await driver.close()


async def test_without_a_ping_url_it_is_only_connected_to(server: MirrorServer) -> None:
    options = {name: value for name, value in server.options.items() if name not in ("ping_url", "token")}
    driver = open_driver("http", options, server.rules)
    await driver.check()
    await driver.close()
    driver = open_driver("http", {**options, "url": "http://127.0.0.1:9/upload"}, server.rules)
    for attempt in (driver.check(), driver.write(new_path(), blocks(b"content"), 7)):
        with pytest.raises(MirrorDown):
            await attempt
    await driver.close()
