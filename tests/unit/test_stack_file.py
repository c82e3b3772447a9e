"""The file that `docker stack deploy` takes, made of docker-compose.yml."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest
import yaml

from deploy.compose.stack import LABEL, Unfit, stack_of
from deploy.local.places import ROOT

SCRIPT = ROOT / "deploy" / "compose" / "stack.py"
ONCE = {"secrets", "page", "migrate"}

# What `docker compose config` says of a small project.
PORT = {"mode": "ingress", "host_ip": "0.0.0.0", "target": 8080, "published": "80", "protocol": "tcp"}
PROJECT: dict[str, Any] = {
    "name": "small",
    "services": {
        "gateway": {
            "image": "caddy:2",
            "command": None,
            "depends_on": {"engine": {"condition": "service_healthy"}},
            "environment": {"SET": "1", "UNSET": None},
            "mem_limit": "1024",
            "pids_limit": 256,
            "ports": [PORT],
            "restart": "unless-stopped",
            "security_opt": ["no-new-privileges:true"],
            "shm_size": "2048",
            "tmpfs": ["/tmp:mode=1777,size=16m"],
            "volumes": [{"type": "bind", "source": "/a", "target": "/b", "bind": {"selinux": "z"}}],
        },
        "secrets": {"image": "x", "mem_limit": "1", "pids_limit": 2, "restart": "no", "network_mode": "none"},
    },
    "networks": {"back": {"name": "small_back", "internal": True}},
    "volumes": {"vault": {"name": "small_vault"}},
}


def test_limits_become_resources_and_what_runs_once_becomes_a_job() -> None:
    stack = stack_of(PROJECT)
    gateway, secrets = stack["services"]["gateway"], stack["services"]["secrets"]
    assert gateway["deploy"]["resources"]["limits"] == {"memory": "1024", "pids": 256}
    assert gateway["deploy"]["update_config"] == {"order": "stop-first"}
    assert gateway["deploy"]["placement"] == {"constraints": [LABEL]}
    assert gateway["environment"] == {"SET": "1"}
    assert gateway["ports"] == [{"target": 8080, "published": 80, "protocol": "tcp", "mode": "host"}]
    assert gateway["volumes"] == [
        {"type": "bind", "source": "/a", "target": "/b"},
        {"type": "tmpfs", "target": "/tmp", "tmpfs": {"size": 16 << 20}},
        {"type": "tmpfs", "target": "/dev/shm", "tmpfs": {"size": 2048}},
    ]
    assert (secrets["deploy"]["mode"], secrets["deploy"]["restart_policy"]["condition"]) == (
        *("replicated-job", "on-failure"),
    )
    assert stack["networks"] == {"back": {"driver": "overlay", "internal": True}}
    assert stack["volumes"] == PROJECT["volumes"]


def test_a_port_that_would_be_opened_wider_than_asked_is_refused() -> None:
    narrow = {**PROJECT["services"]["gateway"], "ports": [{**PORT, "host_ip": "127.0.0.1"}]}
    with pytest.raises(Unfit, match=r"gateway on 127\.0\.0\.1 alone"):
        stack_of({**PROJECT, "services": {"gateway": narrow}})


def test_a_service_that_an_operator_adds_needs_no_limits() -> None:
    own = {"image": "x", "tmpfs": ["/a", "/b:size=1k"], "volumes": [{"type": "tmpfs", "target": "/c"}]}
    stack = stack_of({"services": {"own": own}, "networks": {"default": None}})
    service = stack["services"]["own"]
    assert service["deploy"]["resources"] == {"limits": {}}
    assert "mode" not in service["deploy"]
    assert service["volumes"] == [
        {"type": "tmpfs", "target": "/c"},
        {"type": "tmpfs", "target": "/a"},
        {"type": "tmpfs", "target": "/b", "tmpfs": {"size": 1024}},
    ]
    assert (stack["networks"], stack["volumes"]) == ({"default": {"driver": "overlay", "internal": False}}, {})


@pytest.mark.parametrize("given", ["name: x", "[]", '{"name": "x"}', '{"services": null}', ""])
def test_other_input_is_refused_in_one_line(given: str) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT)], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Not a stack: the input is not what")
    assert done.stderr.count("\n") == 1


def run(command: list[str], given: str = "", **settings: str) -> str:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        command, input=given, cwd=ROOT, env=environment | settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def has_docker() -> bool:
    """Whether the programs are there; none of them needs the engine."""
    return bool(shutil.which("docker")) and all(
        subprocess.run(["docker", *command, "--help"], capture_output=True, check=False).returncode == 0
        for command in (["compose", "config"], ["stack", "config"])
    )


@pytest.mark.parametrize(
    "settings", [{"BIND": "0.0.0.0"}, {"SITE_ADDRESS": "files.example.org", "S3_ENDPOINT": "https://s3.example"}]
)
def test_docker_reads_the_stack_as_it_is_meant(settings: dict[str, str]) -> None:
    if not has_docker():
        pytest.skip("the docker command with its plugin compose is not here")
    project = run(["docker", "compose", "--env-file", "/dev/null", "config", "--format", "json"], **settings)
    stack = run([sys.executable, str(SCRIPT)], project)
    # Docker compares the file with its own schema, and fills in the variables.
    services = yaml.safe_load(run(["docker", "stack", "config", "--compose-file", "-"], stack))["services"]
    composed = json.loads(project)["services"]
    assert services.keys() == composed.keys()
    assert {name for name, each in services.items() if each["deploy"].get("mode") == "replicated-job"} == ONCE
    assert ("store" in services) == ("S3_ENDPOINT" not in settings)
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["deploy"]["resources"]["limits"]["memory"] == composed[name]["mem_limit"], name
