"""With several replicas of upload, all requests of one upload session reach the same one."""

import json
import os
import secrets
import subprocess
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import binaries, gateway, ports
from deploy.local.program import Program
from tests.integration.gateway.running_gateway import (
    Service,
    everything_at,
    gateway_program,
    proxies_in,
    running,
    serve,
    service_type,
    store_at,
)

REPLICAS = 3


class _OneAnswer(Service):
    """A connection takes one request, so that a replica that has been stopped answers no more."""

    protocol_version = "HTTP/1.0"


class Replicas:
    """The gateway in front of several replicas."""

    def __init__(self, client: httpx.Client, running: Sequence[ExitStack]) -> None:
        self._client, self._running = client, running

    def ask(self, path: str) -> int:
        """The number of the replica that answers. The client names another session in the gateway's own header."""
        answer = self._client.post(path, content=b"bytes", headers={"X-Upload-Session": secrets.token_hex(16)})
        assert answer.status_code == 200, answer.text
        assert "X-Upload-Session" not in answer.json()["headers"]
        return int(answer.json()["service"])

    def kill(self, number: int) -> None:
        self._running[number].close()


def adapted(program: Program, replicas: Sequence[int], folder: Path) -> Program:
    """The gateway with the replicas on these ports in place of those that a name server would list."""
    found = subprocess.run(
        [str(binaries.caddy()), "adapt", "--config", str(gateway.CADDYFILE), "--adapter", "caddyfile"],
        env={**os.environ, **program.environment, "GATEWAY_UPSTREAMS": "replicas"},
        capture_output=True,
        check=True,
    )
    config: Any = json.loads(found.stdout)
    for proxy in proxies_in(config):
        if proxy.pop("dynamic_upstreams", None):
            proxy["upstreams"] = [{"dial": f"127.0.0.1:{port}"} for port in replicas]
    path = folder / "gateway.json"
    path.write_text(json.dumps(config))
    return replace(program, command=[str(binaries.caddy()), "run", "--config", str(path)])


@pytest.fixture
async def replicas(tmp_path: Path) -> AsyncGenerator[Replicas]:
    port, *chosen = ports.choose(1 + REPLICAS)
    names = {each: str(number) for number, each in enumerate(chosen)}
    handler: type[Service] = service_type(names, lambda _method, key: key, _OneAnswer)
    # Nobody reads its output while the test waits for an answer, and more lines than these would fill the pipe.
    program = gateway_program(tmp_path, port, everything_at(chosen[0]), store_at(1), GATEWAY_ACCESS_LOG="off")
    with ExitStack() as stack:
        served = [stack.enter_context(ExitStack()) for _ in chosen]
        for each, own in zip(chosen, served, strict=True):
            own.enter_context(serve(each, handler))
        async with running(adapted(program, chosen, tmp_path), tmp_path):
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                yield Replicas(client, served)


@pytest.mark.parametrize(
    "paths",
    [
        ["/chunk/upload/chunk/{}/1", "/api/chunk/upload/chunk/{}/2", "/chunk/upload/complete/{}"],
        ["/v1/uploads/{}"],
        ["/files/{}"],
        ["/api/v1/upload?tracker={}"],
    ],
)
async def test_an_upload_stays_on_its_replica_and_moves_to_another_only_when_that_is_gone(
    replicas: Replicas, paths: list[str]
) -> None:
    sessions = [secrets.token_hex(16) for _ in range(20)]
    places = {session: {replicas.ask(path.format(session)) for path in paths * 3} for session in sessions}
    assert all(len(place) == 1 for place in places.values())
    used = set().union(*places.values())
    assert used == set(range(REPLICAS))

    gone = places[sessions[0]].pop()
    replicas.kill(gone)
    assert {replicas.ask(paths[0].format(session)) for session in sessions} <= used - {gone}


async def test_other_requests_are_spread(replicas: Replicas) -> None:
    assert {replicas.ask("/share/file/") for _ in range(60)} == set(range(REPLICAS))
