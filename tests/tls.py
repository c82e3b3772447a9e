"""Engines behind TLS: an authority of the tests' own, and relays that speak TLS for servers that do not."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.local.ports import LOOPBACK
from tests.relays import pass_both_on, relaying

HOST = "localhost"
POSTGRES_ASKS = 8
"""The bytes by which a client of PostgreSQL asks for TLS, before it begins with it."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate for this machine that is an authority of its own."""

    certificate: Path
    key: Path

    @property
    def server(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context


def new_authority(folder: Path, *names: str) -> Authority:
    """`names`: hosts that the certificate is for; this machine if there are none."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engines elsewhere")])
    now = datetime.now(UTC)
    hosts: list[x509.GeneralName] = [x509.DNSName(name) for name in names or (HOST,)]
    if not names:
        hosts.append(x509.IPAddress(ipaddress.ip_address(LOOPBACK)))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = Authority(folder / "server.pem", folder / "key.pem")
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


@asynccontextmanager
async def behind_tls(authority: Authority, port: int, *, postgres: bool = False) -> AsyncGenerator[int]:
    """A port at which the server of `port` answers with TLS alone, for the block.

    `postgres`: TLS begins within the connection, as PostgreSQL's protocol has it.
    """
    context = authority.server

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if postgres:
            await reader.readexactly(POSTGRES_ASKS)
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context)
        await pass_both_on(reader, writer, port)

    async with relaying(serve, None if postgres else context) as chosen:
        yield chosen
