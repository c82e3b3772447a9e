"""Changes of the running composed system, while somebody asks it something ten times a second."""

import asyncio
import itertools
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.compose.running import ENGINES, System, detail, free_port

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

PERIOD_SECONDS = 0.1
NAME = "files.localhost"
"""For a name of this machine, the gateway is its own authority."""


@dataclass(slots=True)
class Probe:
    """Requests to every service, of which none may fail."""

    url: str
    code: str
    failed: list[str] = field(default_factory=list)
    answered: int = 0

    async def run(self) -> None:
        """Ask until cancelled. Each request has a connection of its own, as that of a newcomer has."""
        paths = itertools.cycle(
            ["/api/v1/config", "/v1/account", "/v1/rooms", "/v1/files", f"/share/select/?code={self.code}"]
        )
        async with asyncio.TaskGroup() as asked:
            try:
                for path in paths:
                    asked.create_task(self._ask(path))
                    await asyncio.sleep(PERIOD_SECONDS)
            except asyncio.CancelledError:
                return

    async def _ask(self, path: str) -> None:
        try:
            async with httpx.AsyncClient(base_url=self.url, timeout=60) as client:
                status = (await client.get(path)).status_code
        except httpx.TransportError as error:
            self.failed.append(f"{path}: {error!r}")
        else:
            self.answered += 1
            if status >= 500:
                self.failed.append(f"{path}: {status}")


@asynccontextmanager
async def probed(url: str, code: str) -> AsyncGenerator[None]:
    probe = Probe(url, code)
    asking = asyncio.create_task(probe.run())
    yield
    asking.cancel()
    await asking
    assert probe.answered > 20
    assert not probe.failed


@pytest.fixture(scope="module")
def code(system: System) -> str:
    """The code of a file."""
    with httpx.Client(base_url=system.url, timeout=60) as client:
        return detail(client.post("/share/file/", files={"file": ("a.bin", b"content")}))["code"]


def started_of(system: System, *services: str) -> list[tuple[str, str]]:
    return [(each["Id"], each["State"]["StartedAt"]) for name in services for each in system.containers(name)]


async def test_a_changed_setting_replaces_what_it_concerns_and_fails_no_request(system: System, code: str) -> None:
    lasting = ("gateway", *ENGINES, "auth", "upload", "chat", "upload-worker")
    before, share = started_of(system, *lasting), started_of(system, "share")
    (system.folder / ".env").write_text("SITE_NAME=Another name\n")
    async with probed(system.url, code):
        await asyncio.to_thread(system.up, "--no-build")
    assert started_of(system, *lasting) == before
    assert started_of(system, "share") != share


async def test_replicas_come_and_go_and_an_upgrade_rolls_without_a_failed_request(system: System, code: str) -> None:
    lasting = ("gateway", *ENGINES, "auth", "chat")
    before = started_of(system, *lasting)
    system.up("--no-build", "--scale", "upload=3", "--scale", "share=2")
    old = [each["Id"] for each in system.containers("share")]
    (system.folder / ".env").write_text("SITE_NAME=A third name\n")
    async with probed(system.url, code):
        await asyncio.to_thread(system.upgrade)
        assert len(system.containers("upload")) == 3
        assert not set(old) & {each["Id"] for each in system.containers("share")}
        assert len(system.containers("share")) == 2
        await asyncio.to_thread(system.up, "--no-build", "--scale", "upload=1", "--scale", "share=1")
    assert started_of(system, *lasting) == before


def test_the_gateway_serves_https_and_keeps_its_certificate(system: System, tmp_path: Path) -> None:
    ports = {"HTTP_PORT": str(free_port()), "HTTPS_PORT": str(free_port()), "BIND": "127.0.0.1"}
    settings = "".join(f"{name}={value}\n" for name, value in {**ports, "SITE_ADDRESS": NAME}.items())
    (system.folder / ".env").write_text(settings)
    try:
        system.up("--no-build", "gateway")
        authority = read_authority(system)
        (tmp_path / "authority.pem").write_text(authority)
        secure = ssl.create_default_context(cafile=tmp_path / "authority.pem")
        named: dict[str, Any] = {"headers": {"Host": NAME}, "extensions": {"sni_hostname": NAME}}
        with httpx.Client(verify=secure) as client:
            answer = client.get(f"https://127.0.0.1:{ports['HTTPS_PORT']}/api/v1/config", **named)
            assert answer.status_code == 200
            assert 'h3=":' in answer.headers["Alt-Svc"]
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            led = client.get(f"http://127.0.0.1:{ports['HTTP_PORT']}/", headers={"Host": NAME})
            assert (led.status_code, led.headers["Location"]) == (308, f"https://{NAME}/")
        system.up("--no-build", "--force-recreate", "--no-deps", "gateway")
        assert read_authority(system) == authority
    finally:
        (system.folder / ".env").unlink()
        system.up("--no-build", "gateway")


def read_authority(system: System) -> str:
    return system.compose("exec", "-T", "gateway", "cat", "/data/caddy/pki/authorities/local/root.crt")
