"""Large files into an S3 server: through this system, straight into the store, and through `@tus/server`.

The store is the one of the tests, JuiceFS's gateway on a folder, with a system of its own on it. All ways take turns in
each round.
"""

import json
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from deploy.local.stack import StartedStack, start
from tests.bench import disk
from tests.bench.options import Options
from tests.bench.paths import Payload, patch_upload
from tests.bench.peers import Skipped, tus_node
from tests.bench.peers.tus_node import TusNode
from tests.bench.systems import ENVIRONMENT, Systems
from tests.bench.trees import Taken, Tree, timed
from tests.bench.wire import send
from tests.engines import StoreAddress, running_store

DIRECT, PUT = "direct part, through the gateway", "the same part, straight into the store"
PATCH, PEER = "one PATCH", "one PATCH, @tus/server with its S3 store"
COPIES = 4
"""So many files are in the store for each round."""
BUCKET = "waystation"

Send = Callable[[memoryview], object]


def measure(systems: Systems, options: Options) -> dict[str, list[Taken]]:
    """The rounds of each way; a round before the first only warms up."""
    disk.require(systems.folder, COPIES * (options.rounds + 1) * options.size)
    payload, folder = Payload(options.size), systems.folder / "s3"
    folder.mkdir()
    with running_store(folder) as store, _system(systems, store) as stack, ExitStack() as closing:
        tree = Tree.of_stack(stack)
        ways: dict[str, tuple[Tree | None, Callable[[], Send]]] = {
            DIRECT: (tree, lambda: _part(stack.url, options.size, None)),
            PUT: (None, lambda: _part(stack.url, options.size, store.endpoint)),
            PATCH: (tree, lambda: lambda content: patch_upload(stack.url, content)),
        }
        if options.peers and (peer := _peer(systems, options, store, closing)):
            ways[PEER] = (peer.tree, lambda: peer.send)
        found: dict[str, list[Taken]] = {name: [] for name in ways}
        for number in range(options.rounds + 1):
            for name, (measured, prepare) in ways.items():
                way, content = prepare(), payload.fresh()
                disk.settle()
                with timed(measured) as taken:
                    way(content)
                if number:
                    found[name].append(taken)
    return found


@contextmanager
def _system(systems: Systems, store: StoreAddress) -> Generator[StartedStack]:
    """This system with its files in the store, in whose bucket the peer's are as well."""
    variables = {
        "STORE": "s3",
        "S3_ENDPOINT": store.endpoint,
        "S3_ACCESS_KEY": store.access_key,
        "S3_SECRET_KEY": store.secret_key,
        "S3_BUCKET": BUCKET,
    }
    with start(systems.folder / "on-s3", environment={**ENVIRONMENT, **variables}) as stack:
        yield stack


def _part(url: str, size: int, store: str | None) -> Send:
    """A PUT of the only part of a new upload. `store`: the address to which it goes in place of the gateway's."""
    begun = _asked(f"{url}/v1/uploads/direct", {"size": size, "part_size": size})
    [part] = _asked(f"{url}/v1/uploads/{begun['id']}/parts", {"numbers": [1]})["parts"]
    address = urlsplit(part["url"])
    target = f"{store}{address.path.removeprefix('/direct')}?{address.query}" if store else part["url"]
    return lambda content: send(target, "PUT", content, {})


def _asked(url: str, body: dict[str, object]) -> dict[str, list[dict[str, str]]]:
    return json.loads(
        send(url, "POST", memoryview(json.dumps(body).encode()), {"Content-Type": "application/json"}).body
    )


def _peer(systems: Systems, options: Options, store: StoreAddress, closing: ExitStack) -> TusNode | None:
    variables = {
        "S3_ENDPOINT": store.endpoint,
        "S3_BUCKET": BUCKET,
        "S3_ACCESS_KEY": store.access_key,
        "S3_SECRET_KEY": store.secret_key,
    }
    try:
        return closing.enter_context(tus_node.running(options.cache, systems.folder / "tus-on-s3", variables))
    except Skipped as error:
        systems.skipped[PEER] = str(error)
        return None
