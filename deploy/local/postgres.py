"""PostgreSQL: a durable cluster in the data folder, small, and reachable only by TCP on 127.0.0.1 with a password."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

from deploy.local import binaries, identity, probes
from deploy.local.files import write_private
from deploy.local.identity import Identity
from deploy.local.ports import LOOPBACK
from deploy.local.program import Program

ADMIN = "waystation"
SETTINGS = {
    "listen_addresses": LOOPBACK,
    # The path of a socket must not exceed about 100 bytes, and that of a data folder may.
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_worker_processes": "4",
    "io_method": "sync",
    "jit": "off",
    "max_wal_size": "512MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    # Statements and the details of errors contain values, such as codes.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
NOISE = (
    r"^LOG:  (starting|listening|database system (is|was) (ready|shut)|received|aborting|shutting|background worker)"
)


class InitFailed(Exception):
    """`initdb` failed. The message contains its output."""


async def prepare(data: Path, password: str, *, synced: bool = True) -> Program:
    """Create the cluster if there is none, and remove the traces of a killed server.

    The caller chooses the program's port and adds its `arguments`. A new cluster that is not `synced` may be lost in a
    crash of the machine. Raises `NoIdentity` or `InitFailed`.
    """
    folder = data / "postgres"
    folder.mkdir(mode=0o700, exist_ok=True)
    who = await identity.choose(binaries.postgres("postgres"), folder)
    cluster = folder / "cluster"
    if not (cluster / "PG_VERSION").exists():
        await _create(folder, cluster, who, password, synced=synced)
    _forget_dead_server(cluster)
    return Program(
        name="postgres",
        command=[str(binaries.postgres("postgres")), "-D", str(cluster)],
        folder=folder,
        environment={"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
        # A fast shutdown ends all sessions, and leaves the data clean.
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
        grace=30.0,
        identity=who,
        noise=NOISE,
    )


def arguments(port: int) -> list[str]:
    """The settings as arguments, because settings that an older version wrote into a file would stay there."""
    settings = {**SETTINGS, "port": str(port)}
    return [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]


def ready(port: int) -> probes.Probe:
    return probes.postgres(binaries.postgres("pg_isready"), port)


def admin_url(port: int, password: str) -> str:
    return f"postgresql://{ADMIN}:{password}@{LOOPBACK}:{port}/postgres"


async def _create(folder: Path, cluster: Path, who: Identity, password: str, *, synced: bool) -> None:
    # Created under another name and then renamed, so that a killed initdb leaves nothing that looks like a cluster.
    unfinished = folder / "cluster.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    password_file = folder / "password"
    write_private(password_file, password)
    if who.owner:
        os.chown(password_file, *who.owner)
    command = [
        *(str(binaries.postgres("initdb")), "--pgdata", str(unfinished), "--username", ADMIN),
        *("--pwfile", str(password_file), "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"),
        # This does not depend on the locales that the machine has.
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"),
        *(() if synced else ("--no-sync",)),
    ]
    try:
        process = await asyncio.create_subprocess_exec(
            *identity.launch_command(who, command),
            cwd=folder,
            env={"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    finally:
        password_file.unlink()
    if process.returncode != 0:
        raise InitFailed(
            f"PostgreSQL could not create its database cluster:\n{output.decode(errors='replace').strip()}"
        )
    unfinished.rename(cluster)


def _forget_dead_server(cluster: Path) -> None:
    """Remove `postmaster.pid`, unless its process is a server on this cluster.

    After a crash of the machine its number may belong to any process, and PostgreSQL would refuse to start. No other
    server can run on this cluster, because the folder is locked and leftovers were stopped.
    """
    path = cluster / "postmaster.pid"
    try:
        pid = int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        path.unlink(missing_ok=True)
        return
    try:
        alive = Path(f"/proc/{pid}/cwd").resolve() == cluster.resolve()
    except OSError:
        alive = False
    if not alive:
        path.unlink(missing_ok=True)
