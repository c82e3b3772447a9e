"""The whole system in one container, as somebody starts it on a machine for storage."""

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.contract.filecodebox import wire
from tests.e2e.compose.running import System, free_port, run

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

IMAGE = "waystation/waystation:test"
PATIENCE = 90
CONFINED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")


@pytest.fixture
def name(system: System) -> Iterator[str]:
    """The name of the container and of its volume."""
    system.compose("build", "operator", timeout=400)
    name = f"{system.project}-whole"
    yield name
    run(["docker", "rm", "--force", name])
    run(["docker", "volume", "rm", "--force", name])


def test_one_container_without_any_right_keeps_what_it_was_sent(name: str) -> None:
    port = free_port()
    places = ("--publish", f"127.0.0.1:{port}:8080", "--volume", f"{name}:/data")
    run(["docker", "run", "--detach", "--name", name, *CONFINED, *places, IMAGE])
    content = wire.content(3_000_000)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        until_healthy(client)
        code = wire.share_file(client, content)
        assert "text/html" in client.get("/", headers={"Accept": "text/html"}).headers["Content-Type"]
        assert run(["docker", "exec", name, "id", "--user"]).strip() == "10001"
        run(["docker", "stop", "--time", "60", name])
        assert run(["docker", "inspect", "--format", "{{.State.ExitCode}}", name]).strip() == "0"
        run(["docker", "start", name])
        until_healthy(client)
        assert wire.download(client, code).content == content


def until_healthy(client: httpx.Client) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if client.get("/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.3)
