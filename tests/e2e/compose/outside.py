"""Engines that are none of the project's: PostgreSQL with TLS alone, Valkey with a password, an S3 server."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.compose.running import System, run
from tests.tls import new_authority


@contextmanager
def engines_elsewhere(system: System, folder: Path) -> Generator[None]:
    """They run for the block, on the networks of the project, and `system` is told of them."""
    names = [f"{system.project}-elsewhere-{name}" for name in ("postgres", "valkey", "store")]
    postgres, valkey, store = names
    password, user = secrets.token_hex(16), secrets.token_hex(10)
    group = run(["docker", "run", "--rm", "--entrypoint", "id", "postgres:17", "-g", "postgres"])
    _certificate(folder, postgres, int(group))
    # It makes the networks, and nothing else.
    system.compose("create", "operator")
    system.compose("rm", "--force", "operator")
    try:
        tls = ["-c", "ssl=on", "-c", "ssl_cert_file=/tls/server.pem", "-c", "ssl_key_file=/tls/key.pem"]
        given = ["-e", f"POSTGRES_PASSWORD={password}", "-v", f"{folder}:/tls:ro"]
        _start(system, postgres, "postgres:17", given, ["postgres", *tls, "-c", "fsync=off"])
        _start(system, valkey, "valkey/valkey:8", [], ["valkey-server", "--requirepass", password])
        access = ["-e", f"MINIO_ROOT_USER={user}", "-e", f"MINIO_ROOT_PASSWORD={password}"]
        _start(system, store, "pgsty/silo:latest", access, ["minio", "server", "/data"])
        # Downloads come straight from the store.
        run(["docker", "network", "connect", f"{system.project}_front", store])
        system.settings.update(
            {
                "DATABASE_URL_ADMIN": f"postgresql://postgres:{password}@{postgres}/postgres"
                "?sslmode=verify-full&sslrootcert=/run/secrets/ca.pem",
                "VALKEY_URL": f"redis://:{password}@{valkey}:6379",
                "S3_ENDPOINT": f"http://{store}:9000",
                "S3_ACCESS_KEY": user,
                "S3_SECRET_KEY": password,
                "S3_BUCKET": "elsewhere",
                "CA_FILE": str(folder / "server.pem"),
            }
        )
        yield
    finally:
        run(["docker", "rm", "--force", "--volumes", *names])


def _start(system: System, name: str, image: str, options: list[str], command: list[str]) -> None:
    run(["docker", "run", "--detach", "--name", name, "--network", f"{system.project}_back", *options, image, *command])


def _certificate(folder: Path, host: str, group: int) -> None:
    """A certificate that is an authority of its own, with a key that only root and `group` may read."""
    made = new_authority(folder, host)
    folder.chmod(0o755)
    made.key.chmod(0o640)
    os.chown(made.key, 0, group)
