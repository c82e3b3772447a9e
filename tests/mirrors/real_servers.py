"""The servers that `make mirrors` unpacks, each on a free port, with a configuration and a folder of its own.

They run as an ordinary user, so that the rights of files hold for them. Two of them insist on being started by root.
"""

import base64
import hashlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGTERM

import asyncssh
import pytest
from minio import Minio

from deploy.local.ports import LOOPBACK, choose
from tests.integration.upload.mirrors import mirror_servers
from tests.integration.upload.mirrors.mirror_front import Background, Fault
from tests.integration.upload.mirrors.mirror_servers import BucketContents, FolderContents, MirrorServer
from upload_service.mirrors.drivers import Rules

PROGRAMS = Path(os.environ.get("WAYSTATION_TEST_SERVERS", "/nonexistent"))
LIBRARIES = PROGRAMS / "usr/lib/x86_64-linux-gnu"
READY_SECONDS = 30
USER, PASSWORD = "mirror", "the password of the mirror"
CRYPTED = "$6$mirrors$43gGagwItxKT8QHDojZRyp4pz8UA9YRsEWWU/MVSgaaPrLl9/eKWO0b2O1ugZ5JkU3e7zDZ4.8J9AuymSBbWW0"
AS = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
"""The user as whom servers write files."""
SHOWN = 0o755
RULES = Rules()
"""As in a real system: Pure-FTPd takes several seconds to refuse a password."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a server: its configuration, and in `files` what it serves."""

    folder: Path
    port: int

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path


@dataclass(frozen=True, slots=True)
class Started:
    """A server to be started, and the definition of a mirror for it."""

    command: Sequence[str]
    kind: str
    options: dict[str, str]
    root: Path
    """The folder in which copies arrive."""
    wrong: dict[str, str] = field(default_factory=dict[str, str])
    """The options that make the credentials wrong ones."""
    is_root: bool = False
    """Whether it has to be started by root."""
    hides_deleted: bool = False


def program(path: str) -> str:
    return str(PROGRAMS / path)


def _hashed(password: str) -> str:
    return "{SHA}" + base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()


def _dav(place: Place, command: Sequence[str]) -> Started:
    options = {"endpoint": f"http://{LOOPBACK}:{place.port}/", "root": "copies/here"}
    login = {"username": USER, "password": PASSWORD}
    return Started(command, "webdav", options | login, place.files / "copies/here", {"password": "wrong"})


def _nginx(place: Place) -> Started:
    place.write("users", f"{USER}:{_hashed(PASSWORD)}\n")
    kept = "".join(
        f"{kind}_temp_path {place.folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    place.write(
        "nginx.conf",
        f"""
        load_module {PROGRAMS}/usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
        daemon off; pid {place.folder}/pid; error_log {place.folder}/errors; worker_processes 1; events {{}}
        http {{
            access_log off; client_max_body_size 0; {kept}
            server {{
                listen {LOOPBACK}:{place.port}; root {place.files};
                auth_basic x; auth_basic_user_file {place.folder}/users;
                location / {{ dav_methods PUT DELETE MKCOL COPY MOVE; dav_ext_methods PROPFIND OPTIONS; }}
            }}
        }}
        """,
    )
    log = f"{place.folder}/errors"
    return _dav(place, [program("usr/sbin/nginx"), "-c", f"{place.folder}/nginx.conf", "-e", log])


def _apache(place: Place) -> Started:
    place.write("users", f"{USER}:{_hashed(PASSWORD)}\n")
    modules = ("mpm_event", "authz_core", "authn_core", "authz_user", "authn_file", "auth_basic", "dav", "dav_fs")
    loaded = "\n".join(f"LoadModule {name}_module {PROGRAMS}/usr/lib/apache2/modules/mod_{name}.so" for name in modules)
    place.write(
        "apache.conf",
        f"""
        ServerRoot {place.folder}
        ServerName localhost
        Listen {LOOPBACK}:{place.port}
        PidFile {place.folder}/pid
        ErrorLog {place.folder}/errors
        {loaded}
        DavLockDB {place.folder}/locks
        DocumentRoot {place.files}
        <Directory {place.files}>
            Dav On
            AuthType Basic
            AuthName x
            AuthUserFile {place.folder}/users
            Require valid-user
        </Directory>
        """,
    )
    return _dav(place, [program("usr/sbin/apache2"), "-DFOREGROUND", "-f", f"{place.folder}/apache.conf"])


def _rclone(place: Place, protocol: str, *arguments: str) -> list[str]:
    """It would remember names and sizes for five minutes, and what it does would depend on what it remembers."""
    remembers_nothing = ("--dir-cache-time", "0s", "--vfs-cache-mode", "off", "--config", f"{place.folder}/none")
    address = f"{LOOPBACK}:{place.port}"
    command = (program("usr/bin/rclone"), "serve", protocol, str(place.files), "--addr", address, "--user", USER)
    return [*command, "--pass", PASSWORD, "--cache-dir", f"{place.folder}/cache", *remembers_nothing, *arguments]


def _rclone_webdav(place: Place) -> Started:
    # With this it tells of each request that it has done.
    return replace(_dav(place, _rclone(place, "webdav", "--log-level", "INFO")), hides_deleted=True)


def _rclone_sftp(place: Place) -> Started:
    host = asyncssh.generate_private_key("ssh-ed25519")
    os.chown(place.write("host", host.export_private_key().decode(), 0o600), AS.pw_uid, AS.pw_gid)
    options = {
        "host": LOOPBACK,
        "port": str(place.port),
        "username": USER,
        "password": PASSWORD,
        "root": "/copies/here",
        "host_key": host.export_public_key().decode().strip(),
    }
    command = _rclone(place, "sftp", "--key", f"{place.folder}/host")
    return Started(command, "sftp", options, place.files / "copies/here", {"password": "wrong"})


def _ftp(place: Place, command: Sequence[str], user: str, root: str) -> Started:
    options = {"endpoint": f"ftp://{LOOPBACK}:{place.port}", "root": root, "user": user, "password": PASSWORD}
    return Started(command, "ftp", options, place.files / root.strip("/"), {"password": "wrong"}, is_root=True)


def _vsftpd(place: Place) -> Started:
    """Its anonymous users, as its others need PAM; but only those who know the password."""
    public = place.files / "public"
    public.mkdir()
    shutil.chown(public, "daemon")
    os.chown(place.files, 0, 0)  # It refuses to serve a folder that may be written to.
    (place.folder / "empty").mkdir()
    place.write("passwords", PASSWORD + "\n")
    yes = (
        *("listen", "anonymous_enable", "write_enable", "anon_upload_enable", "anon_mkdir_write_enable"),
        *("anon_other_write_enable", "secure_email_list_enable"),
    )
    values = {
        "listen_address": LOOPBACK,
        "listen_port": place.port,
        "background": "NO",
        "local_enable": "NO",
        "anon_root": place.files,
        "anon_umask": "022",
        "ftp_username": "daemon",
        "nopriv_user": AS.pw_name,
        "secure_chroot_dir": place.folder / "empty",
        "email_password_file": place.folder / "passwords",
        "seccomp_sandbox": "NO",
        **dict.fromkeys(yes, "YES"),
    }
    configuration = place.write("vsftpd.conf", "".join(f"{name}={value}\n" for name, value in values.items()))
    return _ftp(place, [program("usr/sbin/vsftpd"), str(configuration)], "anonymous", "/public/copies/here")


def _pure_ftpd(place: Place) -> Started:
    # Its own program would choose a hash that takes this machine seconds at every connection.
    users = place.write("users", f"{USER}:{CRYPTED}:{AS.pw_uid}:{AS.pw_gid}::{place.files}/./::::::::::::\n")
    make = [program("usr/bin/pure-pw"), "mkdb", f"{users}.db", "-f", str(users)]
    subprocess.run(make, check=True, env=_environment())
    command = [program("usr/sbin/pure-ftpd"), "-S", f"{LOOPBACK},{place.port}", "-l", f"puredb:{users}.db"]
    return _ftp(place, [*command, "-E", "-u", "1", "-4", "-H", "-g", f"{place.folder}/pid"], USER, "/copies/here")


def _openssh(place: Place) -> Started:
    host, right, other = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
    for name, key in (("host", host), ("right", right)):
        os.chown(place.write(name, key.export_private_key().decode(), 0o600), AS.pw_uid, AS.pw_gid)
    place.write("known", right.export_public_key().decode())
    configuration = place.write(
        "sshd.conf",
        f"ListenAddress {LOOPBACK}:{place.port}\nHostKey {place.folder}/host\nPidFile none\nStrictModes no\n"
        "PasswordAuthentication no\nUsePAM yes\n"
        f"AuthorizedKeysFile {place.folder}/known\nSubsystem sftp internal-sftp\n",
    )
    keys = [key.export_private_key().decode() for key in (right, other)]
    root = place.files / "copies/here"
    options = {
        "host": LOOPBACK,
        "port": str(place.port),
        "username": AS.pw_name,
        "root": str(root),
        "host_key": host.export_public_key().decode().strip(),
        "private_key": keys[0],
    }
    return Started(
        [program("usr/sbin/sshd"), "-D", "-e", "-f", str(configuration)],
        "sftp",
        options,
        root,
        {"private_key": keys[1]},
    )


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(LIBRARIES), "HOME": "/nonexistent"}


@contextmanager
def _place() -> Generator[Place]:
    # Not in pytest's folder, which only the user of the tests may enter.
    folder = Path(tempfile.mkdtemp(prefix="waystation-mirror-"))
    place = Place(folder, choose(1)[0])
    try:
        place.files.mkdir()
        for each in (folder, place.files):
            each.chmod(SHOWN)
            os.chown(each, AS.pw_uid, AS.pw_gid)
        yield place
    finally:
        shutil.rmtree(folder)


@contextmanager
def _running(
    command: Sequence[str], place: Place, *, is_root: bool = False, more: Mapping[str, str] | None = None
) -> Generator[None]:
    gives_up_rights = not is_root and os.geteuid() == 0
    with (place.folder / "output").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=place.folder,
            env=_environment() | dict(more or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=AS.pw_uid if gives_up_rights else None,
            group=AS.pw_gid if gives_up_rights else None,
            extra_groups=[] if gives_up_rights else None,
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(place.port):
            said = (place.folder / "output").read_text(errors="replace")
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
        yield
    finally:
        os.killpg(process.pid, SIGTERM)
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex((LOOPBACK, port)) == 0


def _server_of(configure: Callable[[Place], Started]) -> Callable[[Path, Background], Generator[MirrorServer]]:
    def serve(_: Path, __: Background) -> Generator[MirrorServer]:
        with _place() as place:
            started = configure(place)
            if started.is_root and os.geteuid():
                pytest.skip("only root can start it")

            def set_fault(fault: Fault | None) -> None:
                _set_rights(started.root, is_read_only=fault is Fault.REFUSES)

            with _running(started.command, place, is_root=started.is_root):
                yield MirrorServer(
                    started.kind,
                    started.options,
                    FolderContents(started.root),
                    set_fault,
                    {**started.options, **started.wrong},
                    RULES,
                    faults=frozenset({Fault.REFUSES}),
                    hides_deleted=started.hides_deleted,
                    output=place.folder / "output",
                )

    return serve


def _set_rights(root: Path, *, is_read_only: bool) -> None:
    for folder in (root, *(found for found in root.rglob("*") if found.is_dir())):
        if folder.exists():
            folder.chmod(0o555 if is_read_only else 0o755)


def _moto(_: Path, __: Background) -> Generator[MirrorServer]:
    with (
        _place() as place,
        _running([program("moto/bin/moto_server"), "-H", LOOPBACK, "-p", str(place.port)], place, is_root=True),
    ):
        keys = {"access_key_id": "key", "secret_access_key": "secret"}
        address = f"{LOOPBACK}:{place.port}"
        client = Minio(address, access_key="key", secret_key="secret", secure=False, region="us-east-1")
        client.make_bucket("mirror")
        options = {"endpoint": f"http://{address}", "region": "us-east-1", "bucket": "mirror", "root": "copies", **keys}
        contents = BucketContents(client, "mirror", "copies/")
        yield MirrorServer("s3", options, contents, lambda _: None, None, RULES, frozenset())


@contextmanager
def _folder(folder: Path, background: Background) -> Generator[MirrorServer]:
    if os.geteuid():
        pytest.skip("only root can give it a small disk of its own")
    with mirror_servers.fs(folder, background) as server:
        yield server


SERVERS = {
    "A folder": _folder,
    "OpenSSH": contextmanager(_server_of(_openssh)),
    "vsftpd": contextmanager(_server_of(_vsftpd)),
    "Pure-FTPd": contextmanager(_server_of(_pure_ftpd)),
    "Apache": contextmanager(_server_of(_apache)),
    "nginx": contextmanager(_server_of(_nginx)),
    "rclone, WebDAV": contextmanager(_server_of(_rclone_webdav)),
    "rclone, SFTP": contextmanager(_server_of(_rclone_sftp)),
    "moto": contextmanager(_moto),
    "JuiceFS": mirror_servers.s3,
}
