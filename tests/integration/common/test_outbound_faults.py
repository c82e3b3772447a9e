"""How the client for strangers' URLs fares with servers that are slow, broken or endless."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from common.outbound.client import Outbound, RemoteUnavailable
from tests.integration.common.held_time import HeldTime
from tests.integration.running_remote import (
    PATIENCE,
    STALL,
    Names,
    Request,
    Respond,
    answers,
    fetched,
    forever,
    opened,
    redirects,
    remote,
    silence,
)

MIB = 1024 * 1024
LATE = 60
"""Seconds that a busy machine does not take where a client that never gives up would."""


@pytest.fixture
async def outbound() -> AsyncGenerator[Outbound]:
    names = Names(one_example=[["127.0.0.1"]], two_example=[["127.0.0.1"]])
    async with opened("127.0.0.0/8", names, PATIENCE) as outbound:
        yield outbound


@pytest.fixture
async def hasty() -> AsyncGenerator[Outbound]:
    """A client that gives up soon."""
    async with opened("127.0.0.0/8", stall_seconds=STALL) as outbound:
        yield outbound


@pytest.mark.parametrize(
    "respond",
    [
        pytest.param(silence, id="no answer"),
        pytest.param(forever(b"HTTP/1.1 200 OK\r\nX: ", b"a", 0.05), id="dripping header"),
        pytest.param(forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05), id="interim answers without end"),
        pytest.param(forever(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"", 0.05), id="no body"),
        pytest.param(
            forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=", b"a", 0.05), id="dripping chunk line"
        ),
    ],
)
async def test_a_server_that_does_not_go_on_is_given_up_in_time(hasty: Outbound, respond: Respond) -> None:
    began = monotonic()
    async with remote(respond) as server:
        with pytest.raises(RemoteUnavailable, match="in time"):
            await fetched(hasty, server.url())
    assert STALL <= monotonic() - began < LATE


async def test_a_server_that_hardly_goes_on_is_given_up(hasty: Outbound) -> None:
    began = monotonic()
    async with remote(forever(b"HTTP/1.1 200 OK\r\n\r\n", b"aa", STALL / 10)) as server:
        with pytest.raises(RemoteUnavailable, match="slowly"):
            await fetched(hasty, server.url())
    assert STALL <= monotonic() - began < LATE


async def test_a_caller_that_takes_its_time_is_not_the_servers_fault(
    hasty: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldTime(monkeypatch, "common.outbound.client")
    monkeypatch.setattr("common.outbound.client.SLOWEST", 4 * MIB)
    async with remote(answers("200 OK", f"Content-Length: {4 * MIB}\n", b"a" * 4 * MIB)) as server:
        seen = 0
        async with hasty.get(server.url()) as answer:
            async for block in answer.blocks():
                seen += len(block)
                await held.advance(STALL / 2)
    assert seen == 4 * MIB


@pytest.mark.parametrize("head", ["HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 200 OK\r\nConnection: close"])
async def test_a_connection_that_is_reset_is_not_the_end_of_the_content(outbound: Outbound, head: str) -> None:
    async def respond(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{head}\r\n\r\n".encode() + b"a" * 1000)
        await writer.drain()
        await asyncio.sleep(STALL / 3)
        if is_reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async with remote(respond) as server:
        is_reset = True
        with pytest.raises(RemoteUnavailable, match="broke off"):
            await fetched(outbound, server.url())
        is_reset = False
        assert await fetched(outbound, server.url()) == b"a" * 1000


async def test_a_silent_server_has_less_time_than_a_slow_one(hasty: Outbound, monkeypatch: pytest.MonkeyPatch) -> None:
    held = HeldTime(monkeypatch)
    async with remote(silence) as server:
        fetching = asyncio.create_task(fetched(hasty, server.url()))
        while not server.requests:
            await asyncio.sleep(0)
        await held.advance(0.9 * STALL)
        assert not fetching.done()
        await held.advance(0.2 * STALL)
        with pytest.raises(RemoteUnavailable, match="in time"):
            await fetching


async def test_a_server_that_does_not_shake_hands_is_given_up_in_time(hasty: Outbound) -> None:
    async with remote(silence) as server:
        with pytest.raises(RemoteUnavailable, match="in time"):
            await fetched(hasty, server.url(scheme="https"))


async def test_a_chain_of_slow_redirects_has_no_more_time_than_one_answer(
    hasty: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldTime(monkeypatch)

    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        await held.advance(STALL * 0.8)
        await redirects(f"{request.target}a")(request, writer)

    async with remote(respond) as server:
        with pytest.raises(RemoteUnavailable, match="in time"):
            await fetched(hasty, server.url())
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("beginning", "block"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X-Header: a\r\n", id="headers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Header: ", b"a" * 1000, id="header line"),
        pytest.param(b"HTTP/1.1 200 ", b"a" * 1000, id="status line"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="interim answers"),
        pytest.param(b"", b"\r\n" * 1000, id="empty lines"),
        pytest.param(b"", b"\0" * 1000, id="no HTTP"),
    ],
)
async def test_headers_without_end_are_cut_off(hasty: Outbound, beginning: bytes, block: bytes) -> None:
    async with remote(forever(beginning, block)) as server:
        with pytest.raises(RemoteUnavailable):
            await fetched(hasty, server.url())
        await asyncio.wait_for(server.left.wait(), LATE)


@pytest.mark.parametrize(
    "block", [pytest.param(b"X-Trailer: a\r\n", id="trailers"), pytest.param(b"X-Trailer", id="trailer line")]
)
async def test_trailers_without_end_are_cut_off(hasty: Outbound, block: bytes) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
    async with remote(forever(chunked, block)) as server:
        with pytest.raises(RemoteUnavailable):
            await fetched(hasty, server.url())
        await asyncio.wait_for(server.left.wait(), LATE)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Length: 10\n", b"only"),
        ("Transfer-Encoding: chunked\n", b"4\r\nonly\r\n"),
        ("Transfer-Encoding: chunked\n", b"a\r\nonly"),
        ("Transfer-Encoding: chunked\n", b"4\r\nonly\r\nno size\r\n"),
    ],
)
async def test_a_body_that_breaks_off_is_no_whole_body(outbound: Outbound, headers: str, body: bytes) -> None:
    async with remote(answers("200 OK", headers, body)) as server:
        with pytest.raises(RemoteUnavailable, match="broke off"):
            await fetched(outbound, server.url())


async def test_a_body_that_becomes_malformed_is_given_up_at_once(outbound: Outbound) -> None:
    """Also when that comes in a packet of its own, after the head."""
    goes_on = asyncio.Event()

    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        await answers("200 OK", "Transfer-Encoding: chunked\n", b"4\r\nonly\r\n")(request, writer)
        await goes_on.wait()
        writer.write(b"no size\r\n")
        await silence(request, writer)

    async with remote(respond) as server, outbound.get(server.url()) as answer:
        blocks = answer.blocks()
        assert await anext(blocks) == b"only"
        goes_on.set()
        with pytest.raises(RemoteUnavailable, match="broke off"):
            await anext(blocks)


async def test_a_head_that_is_too_long_is_not_read_to_its_end(hasty: Outbound) -> None:
    async with remote(forever(b"HTTP/1.1 200 OK\r\n", b"X: " + b"a" * 60_000 + b"\r\n")) as server:
        with pytest.raises(RemoteUnavailable):
            await fetched(hasty, server.url())
        await asyncio.wait_for(server.left.wait(), LATE)


async def test_what_came_before_a_body_broke_off_was_handed_on(outbound: Outbound) -> None:
    received = b""
    async with (
        remote(answers("200 OK", "Content-Length: 10\n", b"only")) as server,
        outbound.get(server.url()) as answer,
    ):
        with pytest.raises(RemoteUnavailable, match="broke off"):
            async for block in answer.blocks():
                received += block
    assert received == b"only"


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"SSH-2.0-OpenSSH_9.9\r\n"])
async def test_an_answer_that_is_none_is_told(outbound: Outbound, beginning: bytes) -> None:
    async def respond(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)

    async with remote(respond) as server:
        with pytest.raises(RemoteUnavailable, match="broke off"):
            await fetched(outbound, server.url())


async def test_a_body_without_end_ends_with_its_reader(outbound: Outbound) -> None:
    endless = forever(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65536)
    async with remote(endless) as server:
        async with outbound.get(server.url()) as answer:
            received = 0
            async for block in answer.blocks():
                received += len(block)
                if received > 1024 * 1024:
                    break
        await asyncio.wait_for(server.left.wait(), LATE)


async def test_a_slow_reader_is_not_taken_for_a_slow_server() -> None:
    size, stall = 8 * 1024 * 1024, 1
    async with (
        opened("127.0.0.1/32", stall_seconds=stall) as outbound,
        remote(answers("200 OK", f"Content-Length: {size}\n", bytes(size))) as server,
        outbound.get(server.url()) as answer,
    ):
        received = 0
        async for block in answer.blocks():
            if not received:
                await asyncio.sleep(2 * stall)
            received += len(block)
    assert received == size


async def test_a_closed_port_cannot_be_connected_to(outbound: Outbound) -> None:
    async with remote(silence) as server:
        pass
    with pytest.raises(RemoteUnavailable, match="cannot be connected to"):
        await fetched(outbound, server.url())


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(outbound: Outbound, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate(tmp_path / "own.pem"))
    async with remote(answers("200 OK", "Content-Length: 2\n", b"ok"), tls=context) as server:
        with pytest.raises(RemoteUnavailable, match="certificate"):
            await fetched(outbound, server.url(scheme="https", host="one.example"))
    assert server.requests == []


def own_certificate(path: Path) -> Path:
    """A file with a key and a certificate that it signed itself."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "one.example")]),
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("one.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + certificate.public_bytes(pem))
    return path


async def test_what_went_wrong_does_not_quote_the_url(outbound: Outbound) -> None:
    async with remote(answers("200 OK", "Bad Header\n")) as server:
        with pytest.raises(RemoteUnavailable) as told:
            await fetched(outbound, server.url("/?token=secret"))
    assert "secret" not in str(told.value)
    assert told.value.__suppress_context__
