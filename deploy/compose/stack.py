"""Makes of the Compose system what `docker stack deploy` takes, on a node of a swarm:

    docker compose config --format json | python3 deploy/compose/stack.py | docker stack deploy -c - waystation

Swarm has no words for some of it. Limits become resources, and what runs once becomes a job. Containers wait for one
another by themselves, so nothing is lost with `depends_on`. What Swarm cannot do is dropped: `no-new-privileges`, and a
port on one address only, to which `BIND=0.0.0.0` has to agree. All tasks run on the node with the label
`waystation=here`, because volumes belong to a node. Uses the standard library only.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

VERSION = "3.13"
"""The newest format of files that `docker stack` knows."""
LABEL = "node.labels.waystation == here"
EVERYWHERE = {"0.0.0.0", "::", ""}
# Those that the gateway, or another service, looks for by all of their addresses.
ENDPOINTS = {"endpoint_mode": "dnsrr"}
UNKNOWN = ("build", "depends_on", "network_mode", "pull_policy", "security_opt", "profiles", "extends")

Description = dict[str, Any]


class Unfit(Exception):
    """The settings ask for something that a swarm cannot do."""


def stack_of(project: Mapping[str, Any]) -> Description:
    """The file of a stack with everything that `docker compose config` says of a project. Raises `Unfit`."""
    return {
        "version": VERSION,
        "services": {name: _service(name, service) for name, service in project["services"].items()},
        # A network of Compose cannot span nodes, so the stack makes its own. Volumes stay, with all data.
        "networks": {name: _network(network or {}) for name, network in (project.get("networks") or {}).items()},
        "volumes": project.get("volumes") or {},
    }


def _network(network: Mapping[str, Any]) -> Description:
    return {"driver": "overlay", "internal": bool(network.get("internal"))}


def _service(name: str, service: Mapping[str, Any]) -> Description:
    kept = {key: value for key, value in service.items() if value is not None and key not in UNKNOWN}
    # Ours have all of these. A file of the operator's own may add services that have not.
    limits = {"memory": kept.pop("mem_limit", None), "pids": kept.pop("pids_limit", None)}
    runs_once = kept.pop("restart", "") == "no"
    ports = [_port(name, port) for port in kept.pop("ports", [])]
    kept["deploy"] = {
        **({"mode": "replicated-job"} if runs_once else {} if ports else ENDPOINTS),
        "placement": {"constraints": [LABEL]},
        "resources": {"limits": {of: limit for of, limit in limits.items() if limit is not None}},
        "restart_policy": {"condition": "on-failure" if runs_once else "any", "delay": "2s"},
        # A port of the node is free only when the old task has ended; so are the data of an engine.
        **({} if runs_once else {"update_config": {"order": _order(service, ports)}}),
    }
    if ports:
        kept["ports"] = ports
    # A name without a value is one that is not set here.
    kept["environment"] = {key: value for key, value in (service.get("environment") or {}).items() if value is not None}
    shared = [f"/dev/shm:size={kept.pop('shm_size')}"] if "shm_size" in kept else []  # noqa: S108
    kept["volumes"] = [
        *map(_volume, service.get("volumes") or []),
        *map(_memory, [*(kept.pop("tmpfs", None) or []), *shared]),
    ]
    return kept


def _order(service: Mapping[str, Any], ports: list[Description]) -> str:
    has_data = any(volume.get("target") in DATA for volume in service.get("volumes") or [])
    return "stop-first" if ports or has_data else "start-first"


DATA = {"/data", "/var/lib/postgresql/data", "/prometheus"}
"""The places of what only one task may use at a time."""


def _port(name: str, port: Mapping[str, Any]) -> Description:
    if (address := port.get("host_ip", "")) not in EVERYWHERE:
        raise Unfit(
            f"a swarm cannot open the port of {name} on {address} alone; with BIND=0.0.0.0 the gateway's is open on all"
        )
    # `host`: the gateway sees the address of each client, which the swarm's own network hides.
    return {
        "target": port["target"],
        "published": int(port["published"]),
        "protocol": port.get("protocol", "tcp"),
        "mode": "host",
    }


def _volume(volume: Mapping[str, Any]) -> Description:
    kept = dict(volume)
    # It says how to make a folder that is missing, or to label it; here the folders are those of the checkout.
    kept.pop("bind", None)
    if kept["type"] == "tmpfs":
        size = (kept.get("tmpfs") or {}).get("size")
        return {"type": "tmpfs", "target": kept["target"], **({"tmpfs": {"size": int(size)}} if size else {})}
    return kept


def _memory(text: str) -> Description:
    """A folder in memory that is described like `/tmp:mode=1777,size=64m`. Swarm's belong to all users."""
    target, _, options = text.partition(":")
    sizes = [option.removeprefix("size=") for option in options.split(",") if option.startswith("size=")]
    return {"type": "tmpfs", "target": target, **({"tmpfs": {"size": _bytes(sizes[0])}} if sizes else {})}


def _bytes(text: str) -> int:
    units = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
    return int(text[:-1]) * units[text[-1].lower()] if text[-1].lower() in units else int(text)


def main() -> int:
    try:
        project = json.load(sys.stdin)
    except ValueError:
        project = None
    if not isinstance(project, dict) or not isinstance(project.get("services"), dict):
        print("Not a stack: the input is not what `docker compose config --format json` writes", file=sys.stderr)
        return 1
    try:
        json.dump(stack_of(project), sys.stdout, indent=1)
    except Unfit as error:
        print(f"Not a stack: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
