"""Generates all credentials of the Compose system at its first start.

The credentials stay in a vault that no other container mounts. Each start writes the folders of the services again from
the vault, so a lost folder, or a file that a newer version needs, comes back by itself. Each file can be read only by
the user of the container that it is for, and nothing is printed.

The environment may name engines elsewhere (DATABASE_URL_ADMIN, VALKEY_URL, S3_ENDPOINT), and `/volumes/ca.pem`
authorities for them.

Before a backup is restored, `make_secrets.py /volumes restoring` reads the credentials of the backup from its standard
input into an empty vault, and until `make_secrets.py /volumes restored` only the engines and the operator get theirs,
so that no service starts in between.

Needs root with CAP_CHOWN and no other capability. Therefore a file gets its mode before its owner, and is replaced
instead of rewritten. Uses the standard library only.
"""

import hashlib
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

SERVICES = ("auth", "upload", "share", "chat")
APP_UID = 10001
"""The user of the images that are built here. docker-compose.yml gives the engines users of their own."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The user of an engine, and the folder of its data."""

    uid: int
    data: str


STORE = Engine(10002, "store")
POSTGRES = Engine(10003, "postgres")
VALKEY = Engine(10004, "valkey")
GATEWAY = Engine(10005, "gateway")
"""It keeps certificates, which it can get again."""

# Bytes of randomness of each credential. They are written as hex, which is safe in a URL, an ACL file and a shell.
CREDENTIALS = {
    "postgres": 32,
    "store_user": 10,
    "store_password": 20,
    "download_key": 32,
    "mirror_key": 32,
    "gateway_token": 32,
    "valkey_health": 32,
    "valkey_beat": 32,
    "valkey_operator": 32,
    **{f"postgres_{name}": 32 for name in SERVICES},
    **{f"valkey_{name}": 32 for name in SERVICES},
    **{f"service_{name}": 32 for name in SERVICES},
    # Shorter, because a person types it.
    "admin_password": 12,
}


AUTHORITIES = "ca.pem"
RESTORING = "restoring"
"""A file in the vault that is there while a backup is being restored."""


def write(path: Path, content: str, uid: int) -> None:
    """Put `content` at `path` in one step, readable only by `uid`."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, 0o400)
            os.fchown(descriptor, uid, uid)
            os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def open_vault(path: Path, *, in_use: bool) -> dict[str, str]:
    """Read the credentials, and generate those that are missing.

    `in_use` says whether an engine already has data. Then a new vault is refused, because the data needs the old one.
    """
    if not path.exists() and in_use:
        raise SystemExit(
            "The volume `vault` is empty, but the engines have data that needs its credentials. "
            "Restore the volume from a backup; new credentials would not open the data."
        )
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing = {name: secrets.token_hex(size) for name, size in CREDENTIALS.items() if name not in known}
    if missing:
        known |= missing
        write(path, json.dumps(known), os.getuid())
    return known


def restore_vault(path: Path, text: str, *, in_use: bool) -> None:
    """Fill an empty vault with the credentials of a backup. Those of a system of another kind are left out."""
    if path.exists() or in_use:
        raise SystemExit("The system is not empty; a backup is restored into empty volumes (docker compose down -v).")
    known: dict[str, str] = json.loads(text)
    (path.parent / RESTORING).touch()
    write(path, json.dumps({name: known[name] for name in CREDENTIALS if name in known}), os.getuid())


@dataclass(frozen=True, slots=True)
class Engines:
    """The addresses of the engines: those of this project, or of servers elsewhere."""

    database_admin_url: str
    valkey_url: str | None
    """None: that of this project, where each service has a user of its own."""
    s3_endpoint: str
    s3_access_key: str
    s3_secret_key: str
    s3_region: str = "us-east-1"
    s3_bucket: str = "waystation"

    def database_url(self, name: str, password: str) -> str:
        """The URL of a service's database, for its own role."""
        admin = urlsplit(self.database_admin_url)
        server = admin.netloc.rpartition("@")[2]
        return urlunsplit(admin._replace(netloc=f"{name}:{password}@{server}", path=f"/{name}"))


def engines_of(key: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> Engines:
    """The engines that the environment names; for the others, those of this project."""

    def given(name: str, otherwise: str) -> str:
        return environment.get(name) or otherwise

    is_outside = bool(environment.get("S3_ENDPOINT"))
    if is_outside and not (environment.get("S3_ACCESS_KEY") and environment.get("S3_SECRET_KEY")):
        raise SystemExit("S3_ENDPOINT needs S3_ACCESS_KEY and S3_SECRET_KEY")
    return Engines(
        given("DATABASE_URL_ADMIN", f"postgresql://postgres:{key['postgres']}@postgres:5432/postgres"),
        environment.get("VALKEY_URL") or None,
        given("S3_ENDPOINT", "http://store:9000").rstrip("/"),
        environment["S3_ACCESS_KEY"] if is_outside else key["store_user"],
        environment["S3_SECRET_KEY"] if is_outside else key["store_password"],
        given("S3_REGION", "us-east-1"),
        given("S3_BUCKET", "waystation"),
    )


def valkey_users(key: Mapping[str, str]) -> str:
    """The ACL file. Services get no administrative commands, and the health check gets only ping."""

    def user(name: str, rights: str) -> str:
        digest = hashlib.sha256(key[f"valkey_{name}"].encode()).hexdigest()
        return f"user {name} on #{digest} {rights}\n"

    service = "~* &* +@all -@admin -@dangerous +info +bgrewriteaof"
    return (
        # Nobody can sign in as the default user. It keeps its rights because Valkey replays its own log as this user,
        # and would drop every transaction that the user has no right to.
        "user default off resetpass ~* &* +@all\n"
        + user("health", "resetkeys -@all +ping")
        + user("operator", "~* resetchannels -@all +ping +select +client|setinfo +restore")
        + "".join(user(name, service) for name in (*SERVICES, "beat"))
    )


def files(key: Mapping[str, str], engines: Engines) -> dict[str, dict[str, str]]:
    """The files of each container: names of folders, with names of files and their content."""

    def valkey_url(name: str, database: int) -> str:
        url = engines.valkey_url or f"redis://{name}:{key[f'valkey_{name}']}@valkey:6379"
        return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))

    databases = {name: engines.database_url(name, key[f"postgres_{name}"]) for name in SERVICES}
    token = {"gateway_token": key["gateway_token"]}
    store = {
        "s3_endpoint": engines.s3_endpoint,
        "s3_region": engines.s3_region,
        "s3_bucket": engines.s3_bucket,
        "s3_access_key": engines.s3_access_key,
        "s3_secret_key": engines.s3_secret_key,
    }
    endpoint = urlsplit(engines.s3_endpoint)
    shared = {name: {"database_url": databases[name], "valkey_url": valkey_url(name, 0), **token} for name in SERVICES}
    return {
        "auth": shared["auth"]
        | {
            "broker_url": valkey_url("auth", 1),
            "service_secrets": json.dumps({name: key[f"service_{name}"] for name in SERVICES}),
            "admin_password": key["admin_password"],
        },
        # Only the service needs the secrets of the other services, to check them. Its worker needs just its own.
        "auth-worker": {
            "database_url": databases["auth"],
            "broker_url": valkey_url("auth", 1),
            "service_secret": key["service_auth"],
        },
        "upload": shared["upload"]
        | {
            "broker_url": valkey_url("upload", 1),
            "service_secret": key["service_upload"],
            "mirror_key": key["mirror_key"],
        }
        | store,
        "share": shared["share"]
        | {
            "broker_url": valkey_url("share", 1),
            "service_secret": key["service_share"],
            "download_key_secret": key["download_key"],
        },
        "chat": shared["chat"]
        | {
            "broker_url": valkey_url("chat", 1),
            "service_secret": key["service_chat"],
        },
        "gateway": token
        | {
            "store_address": f"https://{endpoint.netloc}" if endpoint.scheme == "https" else endpoint.netloc,
            "store_host": endpoint.netloc,
        },
        "beat": {"broker_url": valkey_url("beat", 1)},
        "migrate": {
            "admin_database_url": engines.database_admin_url,
            **{f"{name}_database_url": url for name, url in databases.items()},
        },
        "operator": {
            "credentials": json.dumps(dict(key)),
            "admin_database_url": engines.database_admin_url,
            "valkey_url": valkey_url("chat", 0),
            "restoring_valkey_url": valkey_url("operator", 0),
        }
        | store,
        "postgres": {"password": key["postgres"]},
        "valkey": {"users.acl": valkey_users(key), "health_password": key["valkey_health"]},
        "store": {"root_user": key["store_user"], "root_password": key["store_password"]},
    }


ENGINES = {"postgres": POSTGRES.uid, "valkey": VALKEY.uid, "store": STORE.uid}
OPERATOR = {"operator": 0}
READERS = {"gateway": GATEWAY.uid, **ENGINES, **OPERATOR}


def main(root: Path, act: str = "") -> None:
    """Write `vault` and `secrets/<reader>` under `root`, and set the owners of `data/<engine>`. Each is a volume.

    An engine starts when its secrets are there, so they come last.
    """
    engines = {engine: root / "data" / engine.data for engine in (POSTGRES, VALKEY, STORE)}
    in_use = any(folder.stat().st_uid == engine.uid for engine, folder in engines.items())
    vault, marker = root / "vault" / "credentials.json", root / "vault" / RESTORING
    if act == "restoring":
        restore_vault(vault, sys.stdin.read(), in_use=in_use)
    elif act == "restored":
        marker.unlink(missing_ok=True)
    key = open_vault(vault, in_use=in_use)
    for engine, folder in (engines | {GATEWAY: root / "data" / GATEWAY.data}).items():
        if folder.stat().st_uid != engine.uid:
            folder.chmod(0o700)
            os.chown(folder, engine.uid, engine.uid)
    is_restoring, authorities = marker.exists(), root / AUTHORITIES
    trusted = authorities.read_text(encoding="utf-8") if authorities.exists() else ""
    for reader, contents in files(key, engines_of(key)).items():
        if is_restoring and reader not in ENGINES and reader not in OPERATOR:
            continue
        # The authorities come first, and are never missing meanwhile: a container starts when its last file is there.
        given = {AUTHORITIES: trusted} if trusted and reader not in ENGINES else {}
        if not given:
            (root / "secrets" / reader / AUTHORITIES).unlink(missing_ok=True)
        for name, content in (given | contents).items():
            write(root / "secrets" / reader / name, content, READERS.get(reader, APP_UID))
    if is_restoring and act != "restoring":
        raise SystemExit(
            "A backup was not restored completely, so no service starts. "
            "Remove the volumes (docker compose down -v), and restore it again."
        )


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), *sys.argv[2:])
    except SystemExit as refused:
        if len(sys.argv) > 2:
            # The operator's own command, whose words are for a person. All other lines are the log of a container.
            raise
        print(json.dumps({"event": str(refused), "level": "error", "service": "secrets"}), file=sys.stderr)
        sys.exit(1)
