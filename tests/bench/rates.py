"""Measures small requests by 16 connections: how many a second, and what each costs."""

import json
from urllib.parse import urlencode, urlsplit

from deploy.local import credentials
from deploy.local.credentials import ADMIN_PASSWORD
from tests.bench import calls
from tests.bench.bursts import Burst, burst
from tests.bench.calls import Address, Call, repeated, request
from tests.bench.options import Options
from tests.bench.paths import KEPT
from tests.bench.small import fresh
from tests.bench.systems import Systems
from tests.bench.trees import Tree
from tests.bench.wire import send

METADATA, TEXT, FILE = "metadata of a code", "text by code", "file of 64 KiB by code"
LOGIN = "login"
PEER_FILE = "copyparty, file of 64 KiB"
WARM_UP = 64
"""Calls before the first round, which do not count."""
JSON = {"Content-Type": "application/json"}


def measure(systems: Systems, options: Options) -> dict[str, list[Burst]]:
    """The rounds of each request, in turn."""
    requests = requests_of(systems)
    found: dict[str, list[Burst]] = {name: [] for name in requests}
    for tree, address, call in requests.values():
        calls.run(burst(tree, address, call, iter(range(WARM_UP))))
    for _ in range(options.rounds):
        for name, (tree, address, call) in requests.items():
            turns = calls.for_seconds(options.seconds)
            found[name].append(calls.run(burst(tree, address, call, turns)))
    return found


def requests_of(systems: Systems) -> dict[str, tuple[Tree, Address, Call]]:
    """The requests by their names, each with the system that it asks."""
    url, address = systems.form.url, systems.form.address
    host = urlsplit(url).netloc
    file = systems.form.send(memoryview(fresh())).rpartition("=")[2]
    text = _share_text(url)
    signing_in = json.dumps({"name": "admin", "password": credentials.load(systems.stack.folder)[ADMIN_PASSWORD]})
    made = {
        METADATA: request("GET", f"/share/metadata/?code={file}", host),
        TEXT: request("GET", f"/share/select/?code={text}", host),
        FILE: request("GET", f"/share/select/?code={file}", host),
        LOGIN: request("POST", "/v1/auth/login", host, JSON, signing_in.encode()),
    }
    found: dict[str, tuple[Tree, Address, Call]] = {
        name: (systems.tree, address, repeated(sent)) for name, sent in made.items()
    }
    if peer := systems.copyparty:
        path = urlsplit(peer.send(memoryview(fresh()))).path
        sent = request("GET", path, "{}:{}".format(*peer.address))
        found[PEER_FILE] = peer.tree, peer.address, repeated(sent)
    return found


def _share_text(url: str) -> str:
    body = urlencode({"text": "a text of a usual length", **KEPT}).encode()
    sent = send(f"{url}/share/text/", "POST", memoryview(body), {"Content-Type": "application/x-www-form-urlencoded"})
    return str(json.loads(sent.body)["detail"]["code"])
