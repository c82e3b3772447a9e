"""JuiceFS's S3 gateway on a local folder, with its metadata in a Badger database beside it.

Earlier versions kept the files of the embedded stack in it. It is started to move them, and as an S3 server for tests.
"""

import asyncio
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from deploy.local import binaries, probes
from deploy.local.ports import LOOPBACK
from deploy.local.program import Program

# Relative to the working folder, so that the path may contain any character.
METADATA = "badger://meta"
# Go's garbage collector keeps the heap near this limit after heavy use. With a lower limit it would run all the time.
MEMORY_LIMIT = "300MiB"
BUFFER_MIB = 100
NOISE = (
    r"Set storage tier: not supported|cache-size is 0|Metadata backup is disabled|IAM initialization complete"
    r"|Exiting on signal"
)


class FormatFailed(Exception):
    """The store's volume could not be created. The message contains the output of JuiceFS."""


def is_volume(folder: Path) -> bool:
    return (folder / "meta").exists()


async def prepare(folder: Path) -> None:
    """Create the volume if there is none. Raises `FormatFailed`."""
    if is_volume(folder):
        return
    # Created under another name and then renamed, so that an interruption leaves nothing that looks like a store.
    unfinished = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    process = await asyncio.create_subprocess_exec(
        *(str(binaries.juicefs()), "format", "--quiet", "--storage", "file", "--bucket", f"{unfinished}/blocks"),
        # No trash, because the system has a grace period of its own.
        *("--trash-days", "0", METADATA, "waystation"),
        cwd=unfinished,
        env={"HOME": str(unfinished)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise FormatFailed(f"The object store could not be created:\n{output.decode(errors='replace').strip()}")
    unfinished.rename(folder)


def program(folder: Path, port: int, *, access_key: str, secret_key: str, system: Mapping[str, str]) -> Program:
    options = [
        *("--quiet", "--no-banner", "--no-usage-report", "--multi-buckets", "--keep-etag", "--object-meta"),
        # Reading from a local folder gains nothing from a cache on disk.
        *("--cache-size", "0", "--buffer-size", str(BUFFER_MIB), "--backup-meta", "0"),
        # Its debugging agent would answer everybody on this machine.
        "--no-agent",
        # The volume remembers where it was made; the data folder may have been moved since.
        *("--bucket", f"{folder}/blocks/", "--metrics", f"{LOOPBACK}:0"),
    ]
    return Program(
        name="store",
        command=[str(binaries.juicefs()), "gateway", *options, METADATA, f"{LOOPBACK}:{port}"],
        folder=folder,
        environment={
            **system,
            "HOME": str(folder),
            "GOMEMLIMIT": MEMORY_LIMIT,
            "MINIO_ROOT_USER": access_key,
            "MINIO_ROOT_PASSWORD": secret_key,
        },
        port=port,
        ready=probes.http(port, "/minio/health/live"),
        orphan_signal=signal.SIGTERM,
        noise=NOISE,
    )
