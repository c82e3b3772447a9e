"""Large files into an S3 server and out of it: through this system, straight, and through `@tus/server`.

The store is the one of the tests, JuiceFS's gateway on a folder, with a system of its own on it. All ways take turns in
each round. The store's own processor time is counted beside that of each system.
"""

import hashlib
import json
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from minio import Minio

from deploy.local.stack import StartedStack, start
from tests.bench import disk
from tests.bench.options import Options
from tests.bench.paths import Payload, chunked_upload, form_upload, patch_upload
from tests.bench.peers import Skipped, tus_node
from tests.bench.peers.tus_node import TusNode
from tests.bench.systems import ENVIRONMENT, Systems
from tests.bench.trees import Taken, Tree, timed
from tests.bench.wire import fetch, send
from tests.engines import StoreAddress, running_store

DIRECT, PUT = "direct part, through the gateway", "the same part, straight into the store"
PATCH, PEER = "one PATCH", "one PATCH, @tus/server with its S3 store"
FORM, CHUNKS = "form, on S3", "chunks, on S3"
DOWNLOAD, GET = "download, from S3", "the same object, straight from the store"
EVERY = (DIRECT, PUT, PATCH, PEER, FORM, CHUNKS, DOWNLOAD, GET)
COPIES = 6
"""So many files are in the store for each round."""
BUCKET = "waystation"

Prepare = Callable[[memoryview], Callable[[], object]]
"""Does for some content what is not measured, and returns what is."""
Ways = dict[str, tuple[Tree, Prepare]]
"""Each way by its name, with the processes that work for it."""


def measure(systems: Systems, options: Options) -> dict[str, list[Taken]]:
    """The rounds of each way; a round before the first only warms up."""
    disk.require(systems.folder, COPIES * (options.rounds + 1) * options.size)
    payload, folder = Payload(options.size), systems.folder / "s3"
    folder.mkdir()
    with running_store(folder) as store, _system(systems, store) as stack, ExitStack() as closing:
        ways = _ways(stack, store, payload)
        if options.peers and (peer := _peer(systems, options, store, closing)):
            ways[PEER] = (_with_store(peer.tree, store), lambda content: lambda: peer.send(content))
        found: dict[str, list[Taken]] = {name: [] for name in ways}
        for number in range(options.rounds + 1):
            for name, (tree, prepare) in ways.items():
                run = prepare(payload.fresh())
                disk.settle()
                with timed(tree) as taken:
                    run()
                if number:
                    found[name].append(taken)
    return found


def _ways(stack: StartedStack, store: StoreAddress, payload: Payload) -> Ways:
    """The ways through this system, and those straight to the store that they are compared with."""
    ours, alone, url = _with_store(Tree.of_stack(stack), store), _with_store(None, store), stack.url
    stored, codes = _object(store, payload.fresh()), list[str]()

    def chunked(content: memoryview) -> Callable[[], object]:
        sha256 = hashlib.sha256(content).hexdigest()
        return lambda: chunked_upload(url, content, sha256)

    return {
        DIRECT: (ours, lambda content: _part(url, content, None)),
        PUT: (alone, lambda content: _part(url, content, store.endpoint)),
        PATCH: (ours, lambda content: lambda: patch_upload(url, content)),
        FORM: (ours, lambda content: lambda: codes.append(form_upload(url, content))),
        CHUNKS: (ours, chunked),
        DOWNLOAD: (ours, lambda _: lambda: fetch(f"{url}/share/select/?code={codes[-1]}")),
        GET: (alone, lambda _: lambda: fetch(stored)),
    }


def _with_store(tree: Tree | None, store: StoreAddress) -> Tree:
    """The processes of a system, if there is one, and that of the store."""
    return Tree(lambda: {**(tree.roots() if tree else {}), "store": store.pid})


def _object(store: StoreAddress, content: memoryview) -> str:
    """Store an object, and return a signed address of it."""
    host = urlsplit(store.endpoint).netloc
    sdk = Minio(host, access_key=store.access_key, secret_key=store.secret_key, secure=False, region="us-east-1")
    send(sdk.get_presigned_url("PUT", BUCKET, "bench/object"), "PUT", content, {})
    return sdk.get_presigned_url("GET", BUCKET, "bench/object")


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


def _part(url: str, content: memoryview, store: str | None) -> Callable[[], object]:
    """A PUT of the only part of a new upload. `store`: the address to which it goes in place of the gateway's."""
    size = len(content)
    begun = _asked(f"{url}/v1/uploads/direct", {"size": size, "part_size": size})
    [part] = _asked(f"{url}/v1/uploads/{begun['id']}/parts", {"numbers": [1]})["parts"]
    address = urlsplit(part["url"])
    target = f"{store}{address.path.removeprefix('/direct')}?{address.query}" if store else part["url"]
    return lambda: send(target, "PUT", content, {})


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
