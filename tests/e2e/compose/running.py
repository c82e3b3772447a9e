"""The real `docker-compose.yml`, brought up under a name and a port of its own from a copy of the tree."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.local import ports

REPOSITORY = Path(__file__).parents[3]
# All that an image and a container are made of; what else lies about, such as a `.env`, is not copied.
PARTS = (
    "docker-compose.yml",
    ".dockerignore",
    "LICENSE",
    "requirements-run.lock",
    "requirements-runtime.lock",
    "deploy",
    "libs",
    "services",
    "web",
)
MADE = ("__pycache__", "*.egg-info", "node_modules", "dist", "dist.*", ".node")
"""The files that tools made in the tree."""
ONE_SHOT = ("secrets", "migrate", "page")
ENGINES = {"postgres": "10003", "valkey": "10004", "store": "10002"}
READERS = ("auth", "auth-worker", "upload", "share", "chat", "beat")
SERVICES = {
    *(*ENGINES, *READERS, "upload-worker", "transfers-worker", "share-worker", "chat-worker"),
    *("gateway", *ONE_SHOT),
}


def free_port() -> int:
    return ports.choose(1)[0]


def copy_tree(target: Path) -> Path:
    for name in PARTS:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns(*MADE))
        else:
            shutil.copy2(source, target / name)
    return target


@dataclass(frozen=True, slots=True)
class System:
    """One Compose project."""

    folder: Path
    project: str
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict[str, str])
    """Further variables, such as the addresses of engines elsewhere."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str, timeout: float = 120) -> str:
        """Run `docker compose`; return what it printed. Raises `AssertionError` with all of it on a failure."""
        command = ["docker", "compose", "--progress", "plain", *arguments]
        return run(command, timeout=timeout, cwd=self.folder, env=self._environment)

    def upgrade(self) -> None:
        """Bring what runs to the images and settings that it would start with now."""
        self.operate("deploy/compose/upgrade")
        self.wait_until_healthy()

    def operate(self, *command: str, **variables: str) -> str:
        """Run a command of the operator's in the checkout; return what it printed."""
        return run(command, timeout=300, cwd=self.folder, env=self._environment | variables)

    @property
    def _environment(self) -> dict[str, str]:
        """Nothing of the caller's environment may configure the system."""
        passed = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ}
        own = {"PORT": str(self.port), "WAYSTATION_VERSION": "test", "COMPOSE_PROJECT_NAME": self.project}
        return passed | own | self.settings

    def up(self, *arguments: str) -> None:
        """Start what is not running and wait until all of it is healthy."""
        try:
            self.compose("up", "--detach", *arguments, timeout=420)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from None
        self.wait_until_healthy()

    def wait_until_healthy(self, timeout: float = 120) -> None:
        deadline = time.monotonic() + timeout
        while waiting := [c["Name"] for c in self.containers() if not is_healthy(c)]:
            if time.monotonic() > deadline:
                raise AssertionError(f"not healthy: {waiting}\n{self.logs()}")
            time.sleep(1)

    def logs(self) -> str:
        return self.compose("logs", "--no-color", "--tail", "25")

    def containers(self, service: str | None = None) -> list[dict[str, Any]]:
        """The output of `docker inspect` for the project's containers, including ended ones."""
        ids = self.ids("container", "--all", *(["--filter", f"label={LABEL}.service={service}"] if service else []))
        return json.loads(run(["docker", "inspect", *ids])) if ids else []

    def ids(self, kind: str, *arguments: str) -> list[str]:
        """The ids of the project's containers, volumes or networks."""
        command = ["docker", kind, "ls", "--quiet", "--filter", f"label={LABEL}.project={self.project}", *arguments]
        return run(command).split()

    def python(self, service: str, source: str) -> str:
        """Run Python inside a service's container; return what it printed."""
        return self.compose("exec", "--no-TTY", service, "python", "-c", source)

    def down(self, *arguments: str) -> None:
        self.compose("down", "--timeout", "20", *arguments)


LABEL = "com.docker.compose"


_STORE = """
import pathlib
from minio import Minio
keys = [pathlib.Path("/run/secrets/s3_" + name).read_text() for name in ("access_key", "secret_key")]
store = Minio("store:9000", *keys, secure=False, region="us-east-1")
"""
# Run inside the upload service: a second bucket of the store, whose credentials it prints, and the loss of what has a
# certain size in the first.
MAKE_BUCKET = _STORE + 'store.make_bucket("mirror"); print(*keys)'
FORGET_OBJECTS = (
    _STORE
    + """
for found in store.list_objects("waystation", recursive=True):
    if found.size == {size}:
        store.remove_object("waystation", found.object_name)
"""
)


def administrator(system: System, client: httpx.Client) -> dict[str, str]:
    """The headers by which the administrator is known, with the password that was generated."""
    password = system.compose("exec", "-T", "auth", "cat", "/run/secrets/admin_password")
    answer = client.post("/v1/auth/login", json={"name": "admin", "password": password})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def service_of(container: Mapping[str, Any]) -> str:
    return container["Config"]["Labels"][f"{LABEL}.service"]


def is_healthy(container: Mapping[str, Any]) -> bool:
    """Healthy or, for what runs once, ended well."""
    state = container["State"]
    if service_of(container) in ONE_SHOT:
        return state["Status"] == "exited" and state["ExitCode"] == 0
    return state["Status"] == "running" and state["Health"]["Status"] == "healthy"


def received_bytes(container: Mapping[str, Any]) -> int:
    """All that came in over the container's networks since it started."""
    table = run(["docker", "exec", container["Id"], "cat", "/proc/net/dev"])
    rows = [line.partition(":") for line in table.splitlines() if ":" in line]
    return sum(int(numbers.split()[0]) for name, _, numbers in rows if name.strip() != "lo")


def kill_process(container: Mapping[str, Any]) -> None:
    """`kill -9` the container's own process from inside: unlike after `docker kill`, its restart policy holds."""
    run(["docker", "exec", container["Id"], "sh", "-c", "kill -9 $(cat /proc/1/task/1/children)"])


def run(command: Sequence[str], *, timeout: float = 60, **options: Any) -> str:
    done = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, **options
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def fetch(client: httpx.Client, code: str) -> bytes:
    return client.get("/share/select/", params={"code": code}).raise_for_status().content


def detail(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return response.json()["detail"]
