"""A process that copies something large to a mirror, says so in the middle, and waits to be killed.

Its standard input is a JSON object with the kind, the options, the folders that are allowed, and the path.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from common import logging
from upload_service.mirrors.drivers import Rules, open_driver

MIB = 1024 * 1024
SIZE = 300 * MIB
SENT = 40 * MIB


async def _blocks() -> AsyncIterator[bytes]:
    for _ in range(SENT // MIB):
        yield bytes(MIB)
    print("in the middle", flush=True)
    await asyncio.Event().wait()


async def _main() -> None:
    # To standard error: the line above is all that is read of the output.
    logging.configure(level="warning", format="console", service="killed writer")
    given = json.load(sys.stdin)
    rules = Rules(tuple(map(Path, given["folders"])))
    driver = open_driver(given["kind"], given["options"], rules)
    await driver.write(given["path"], _blocks(), SIZE)


if __name__ == "__main__":
    asyncio.run(_main())
