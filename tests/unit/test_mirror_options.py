import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.store.limits import MAX_PARTS, MIB, TIB
from upload_service.mirrors.drivers import KINDS, OptionsInvalid, Rules, check_options, open_driver, secret_names
from upload_service.mirrors.drivers.interface import MirrorDown, MirrorError, MirrorFull, MirrorRefused, ReplicaLost
from upload_service.mirrors.drivers.opendal_blocks import block_size
from upload_service.mirrors.drivers.statuses import error_of

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl mirror"
ACCOUNT = json.dumps({"type": "service_account", "client_email": "mirror@example.org", "private_key": "k"})
KEY_PAIR = {"access_key_id": "id", "secret_access_key": "key"}

VALID: list[tuple[str, dict[str, str]]] = [
    ("s3", {"endpoint": "https://s3.example.org", "region": "us-east-1", "bucket": "files", **KEY_PAIR}),
    ("ftp", {"endpoint": "ftp://ftp.example.org", "user": "u", "password": "p"}),
    ("azblob", {"endpoint": "https://a.example.org", "container": "c", "account_name": "a", "account_key": "aw=="}),
    ("azblob", {"endpoint": "https://a.example.org", "container": "c", "account_name": "a", "sas_token": "t"}),
    ("gcs", {"bucket": "b", "credential": ACCOUNT}),
    ("b2", {"bucket": "b", "bucket_id": "i", "application_key_id": "k", "application_key": "a"}),
    ("swift", {"endpoint": "https://swift.example.org/v1/a", "container": "c", "token": "t"}),
    ("webdav", {"endpoint": "http://dav.example.org/remote", "username": "u", "password": "p", "root": "/a/b"}),
    ("webdav", {"endpoint": "http://dav.example.org", "token": "t"}),
    ("webdav", {"endpoint": "http://dav.example.org"}),
    ("dropbox", {"access_token": "t"}),
    ("gdrive", {"refresh_token": "t", "client_id": "i", "client_secret": "s"}),
    ("onedrive", {"access_token": "t", "root": "/mirror"}),
    ("sftp", {"host": "sftp.example.org", "username": "u", "password": "p", "host_key": HOST_KEY, "port": "2222"}),
    ("sftp", {"host": "::1", "username": "u", "private_key": "-----BEGIN\nkey\n-----END", "host_key": HOST_KEY}),
    ("http", {"url": "https://store.example.org/upload?plain=1"}),
    (
        "http",
        {"url": "http://h:81/u", "token": "t", "url_field": "u", "ping_url": "http://h/p", "delete_method": "none"},
    ),
]
S3 = VALID[0][1]
SFTP = VALID[13][1]


@pytest.mark.parametrize(("kind", "options"), VALID)
def test_the_required_options_of_a_kind_are_sufficient(kind: str, options: dict[str, str]) -> None:
    check_options(kind, options, Rules())


def test_every_kind_is_among_the_examples() -> None:
    assert {kind for kind, _ in VALID} | {"fs"} == set(KINDS)


@pytest.mark.parametrize(("kind", "options"), [case for case in VALID if case[0] not in ("sftp", "http")])
async def test_opendal_takes_the_options_of_its_kinds(kind: str, options: dict[str, str]) -> None:
    driver = open_driver(kind, options, Rules())
    await driver.close()


@pytest.mark.parametrize(("kind", "options"), VALID)
def test_each_missing_option_is_refused(kind: str, options: dict[str, str]) -> None:
    for name in options:
        if name not in KINDS[kind].optional and options != {"endpoint": "http://dav.example.org", "token": "t"}:
            with pytest.raises(OptionsInvalid):
                check_options(kind, {key: value for key, value in options.items() if key != name}, Rules())


@pytest.mark.parametrize(
    "name",
    ["profile", "role_arn", "allow_anonymous", "skip_signature", "disable_config_load", "credential_path", "ENDPOINT"],
)
@pytest.mark.parametrize(("kind", "options"), VALID)
def test_an_option_that_is_not_in_the_table_is_refused(kind: str, options: dict[str, str], name: str) -> None:
    with pytest.raises(OptionsInvalid):
        check_options(kind, {**options, name: "true"}, Rules())


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("floppy", {}),
        ("s3", {**S3, "endpoint": "file:///etc"}),
        ("s3", {**S3, "endpoint": "https://user:word@s3.example.org"}),
        ("s3", {**S3, "endpoint": "https://s3.example.org/?a=b"}),
        ("s3", {**S3, "endpoint": "s3.example.org"}),
        ("s3", {**S3, "endpoint": "https://s3.example.org/a/../b"}),
        ("webdav", {"endpoint": "http://dav.example.org/%2e%2E/b"}),
        ("s3", {**S3, "endpoint": "http://[broken"}),
        ("s3", {**S3, "region": " "}),
        ("s3", {**S3, "bucket": "b\r\nX-Header: 1"}),
        ("s3", {**S3, "bucket": "Files"}),
        ("s3", {**S3, "bucket": "files/a"}),
        ("s3", {**S3, "region": "eu west"}),
        ("s3", {**S3, "endpoint": "https://s3..example.org"}),
        ("s3", {**S3, "root": "/a/../../b"}),
        ("s3", {**S3, "secret_access_key": "k" * 20_000}),
        ("s3", {**S3, "enable_virtual_host_style": "yes"}),
        ("ftp", {"endpoint": "ftps://ftp.example.org", "user": "u", "password": "p"}),
        ("ftp", {"endpoint": "http://ftp.example.org", "user": "u", "password": "p"}),
        ("webdav", {"endpoint": "http://h", "username": "u"}),
        ("webdav", {"endpoint": "http://h", "username": "u", "password": "p", "token": "t"}),
        ("dropbox", {"access_token": "t", "refresh_token": "t", "client_id": "i", "client_secret": "s"}),
        ("dropbox", {}),
        ("gcs", {"bucket": "b", "credential": "not json"}),
        ("gcs", {"bucket": "b", "credential": json.dumps({"type": "external_account", "file": "/etc/passwd"})}),
        ("sftp", {**SFTP, "private_key": "both"}),
        ("sftp", {**SFTP, "host_key": "SHA256:AAAA"}),
        ("sftp", {**SFTP, "host_key": "ssh-rsa " + HOST_KEY.split()[1]}),
        ("sftp", {**SFTP, "port": "0"}),
        ("sftp", {**SFTP, "port": "65536"}),
        ("sftp", {**SFTP, "port": "²"}),
        ("sftp", {**SFTP, "host": "user@host"}),
        ("sftp", {**SFTP, "host": "a..b"}),
        ("sftp", {**SFTP, "host": "a" * 64}),
        ("http", {"url": "ftp://h/u"}),
        ("http", {"url": "http://h/u", "delete_method": "GET"}),
        ("http", {"url": "http://h:0x50/u"}),
    ],
)
def test_invalid_values_are_refused_without_repeating_them(kind: str, options: dict[str, str]) -> None:
    with pytest.raises(OptionsInvalid) as raised:
        check_options(kind, options, Rules())
    for value in options.values():
        assert len(value) < 4 or value not in raised.value.message


def test_a_folder_can_be_a_mirror_only_within_the_allowed_folders(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    rules = Rules(folders=(allowed,))
    for root in (allowed, allowed / "mirror"):
        check_options("fs", {"root": str(root)}, rules)
    for root in (tmp_path / "outside", tmp_path, "allowed/mirror", f"{allowed}/../outside", f"{allowed}2"):
        with pytest.raises(OptionsInvalid):
            check_options("fs", {"root": str(root)}, rules)
        with pytest.raises(OptionsInvalid):
            open_driver("fs", {"root": str(root)}, rules)
    with pytest.raises(OptionsInvalid):
        check_options("fs", {"root": str(allowed)}, Rules())


def test_opening_a_folder_does_not_create_it(tmp_path: Path) -> None:
    open_driver("fs", {"root": str(tmp_path / "unmounted")}, Rules(folders=(tmp_path,)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("kind", "options"), VALID)
def test_every_password_key_and_token_is_secret(kind: str, options: dict[str, str]) -> None:
    shown = set(options) - secret_names(kind)
    secret_words = ("password", "token", "secret", "credential", "private", "application_key", "account_key")
    assert not {name for name in shown if any(word in name for word in secret_words)} - {"application_key_id"}
    assert secret_names(kind) <= KINDS[kind].known


def test_an_unknown_kind_has_no_secrets() -> None:
    with pytest.raises(OptionsInvalid):
        secret_names("floppy")


def test_checking_options_loads_no_client_library() -> None:
    script = (
        "import sys; from upload_service.mirrors.drivers import Rules, check_options;"
        f"check_options('s3', {S3!r}, Rules()); check_options('sftp', {SFTP!r}, Rules());"
        "sys.exit('opendal' in sys.modules or 'asyncssh' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], env=dict(os.environ)).returncode == 0


@pytest.mark.parametrize("size", [0, 1, 8 * MIB, 80_000 * MIB, 80_000 * MIB + 1, 5 * TIB])
def test_blocks_are_neither_too_many_nor_too_small(size: int) -> None:
    block = block_size(size)
    assert block >= 8 * MIB
    assert block * MAX_PARTS >= size
    assert block % MIB == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, MirrorDown) for status in (408, 421, 425, 429, 500, 502, 503, 504)),
        *((status, MirrorRefused) for status in (301, 400, 401, 403, 405, 409)),
        (507, MirrorFull),
        (404, ReplicaLost),
        (410, ReplicaLost),
    ],
)
def test_a_status_says_what_is_wrong_with_a_mirror(status: int, kind: type[MirrorError]) -> None:
    assert type(error_of(status)) is kind
