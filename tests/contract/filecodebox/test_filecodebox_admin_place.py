"""FileCodeBox's administration of the place: the dashboard, the configuration, the password and the local files."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.filecodebox import admin_wire, wire
from tests.contract.filecodebox.admin_wire import HEALTH, change
from tests.contract.filecodebox.wire import detail, misshaped, refused

OBEYED_SECONDS = 5
CONFIGURATION = {
    *("name", "description", "keywords", "notify_title", "notify_content", "page_explain", "robotsText", "opacity"),
    *("background", "themesSelect", "themesChoices", "showAdminAddr", "openUpload", "uploadSize", "enableChunk"),
    *("allowed_file_types", "expireStyle", "code_generate_type", "max_save_seconds", "storageLimit", "uploadMinute"),
    *("uploadCount", "errorMinute", "errorCount", "loginMinute", "loginCount", "adminSessionExpire"),
    *("trustedProxies", "admin_token", "file_storage", "s3_secret_access_key", "webdav_password", "onedrive_password"),
}


def test_the_dashboard(admin: httpx.Client) -> None:
    config = detail(admin.get("/admin/config/get"))
    for name in ("Ours", config["name"]):
        assert detail(change(admin, "PATCH", "/config/update", **{**config, "name": name})) is None
    before = detail(admin.get("/admin/dashboard"))
    wire.share_file(admin, wire.content(500), "a.odd")
    found = detail(admin.get("/admin/dashboard"))
    for name in ("storageUsed", "todaySize"):
        assert type(found[name]) is str
        assert int(found[name]) - int(before[name]) == 500
    assert type(found["yesterdaySize"]) is str
    for name in ("totalFiles", "todayCount", "activeCount", "fileCount", "neverRetrievedCount"):
        assert found[name] - before[name] == 1, name
    assert set(found) >= HEALTH | {
        "expiredCount",
        "textCount",
        "chunkedCount",
        "usedCount",
        "yesterdayCount",
    }
    assert set(found["healthSummary"]) == HEALTH
    assert found["sysUptime"] > 1_700_000_000_000
    limits = ("storageBackend", "uploadSizeLimit", "openUpload", "enableChunk", "maxSaveSeconds")
    assert [found[name] for name in limits] == ["local", 10 * 1024**3, 1, 1, 0]
    assert {"suffix": ".odd", "count": 1} in found["topSuffixes"] or found["topSuffixes"]
    assert found["recentFiles"][0]["name"] == "a.odd"
    assert set(found["recentActivities"][0]) >= {"id", "action", "targetType", "target_type", "meta", "createdAt"}


def test_the_configuration_is_sent_back_whole(admin: httpx.Client, password: str) -> None:
    config = detail(admin.get("/admin/config/get"))
    assert set(config) >= CONFIGURATION
    assert (config["admin_token"], config["code_generate_type"], config["themesSelect"]) == (
        "",
        "secret",
        "themes/2024",
    )
    assert set(config["themesChoices"][0]) == {"name", "key", "author", "version"}
    assert config["adminSessionExpire"] == 5 * 86400
    # A page that has changed nothing changes nothing, also when it has rounded some of it.
    assert detail(change(admin, "PATCH", "/config/update", **{**config, "unknown": 1, "uploadCount": ""})) is None
    assert detail(admin.get("/admin/config/get")) == config
    changed = {
        "name": "Ours",
        "keywords": "a,b",
        "page_explain": "<i>",
        "robotsText": "User-agent: x\n",
        "opacity": 0.5,
        "uploadSize": 1024,
        "expireStyle": ["day"],
        "code_generate_type": "number",
        "max_save_seconds": 604800,
        "openUpload": "1",
        "showAdminAddr": 1,
        "adminSessionExpire": 86400,
        "allowedFileTypes": ["*"],
        "loginCount": "50",
        "file_storage": "s3",
        "s3_secret_access_key": "secret",
    }
    try:
        assert detail(change(admin, "PATCH", "/config/update", **{**config, **changed})) is None
        after = detail(admin.get("/admin/config/get"))
        assert (after["name"], after["opacity"], after["uploadSize"]) == ("Ours", 0.5, 1024)
        assert (after["loginCount"], after["s3_secret_access_key"], after["file_storage"]) == (50, "", "local")
        (entry,) = detail(admin.get("/admin/activities", params={"limit": 1}))["items"]
        assert (entry["action"], entry["targetType"]) == ("config.update", "config")
        assert {"name", "uploadSize", "adminSessionExpire"} <= set(entry["meta"]["fields"])
        for key, wrong in (
            *(("uploadSize", value) for value in ("x", 0, -1, 1.5, True, 10**30, [])),
            *(("adminSessionExpire", value) for value in (0, 3600, 86401, 366 * 86400)),
            *(("storageLimit", value) for value in (-1, "x", 1.5, True)),
            *(("opacity", value) for value in ("x", 2, True, 10**400)),
            *(("expireStyle", value) for value in ([], ["week"], 7)),
            *(("openUpload", 2), ("code_generate_type", "x"), ("name", 7), ("name", "\0"), ("admin_token", "short")),
        ):
            answer = change(admin, "PATCH", "/config/update", **{**config, key: wrong})
            refused(answer, 400, f"{key} 配置值格式错误")
        assert admin.patch("/admin/config/update", json=[]).status_code == 422
        assert detail(admin.get("/admin/config/get")) == after
    finally:
        assert detail(change(admin, "PATCH", "/config/update", **config)) is None


def test_the_limit_of_storage_is_obeyed(admin: httpx.Client, guest: httpx.Client) -> None:
    config = detail(admin.get("/admin/config/get"))
    assert config["storageLimit"] == 0
    try:
        assert detail(change(admin, "PATCH", "/config/update", **{**config, "storageLimit": 1})) is None
        assert detail(admin.get("/admin/config/get"))["storageLimit"] == 1
        until = time.monotonic() + OBEYED_SECONDS
        while (answer := guest.post("/share/file/", files={"file": ("a.bin", b"12")})).status_code == 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        refused(answer, 507, "存储空间已达到管理员设置的容量上限")
    finally:
        assert detail(change(admin, "PATCH", "/config/update", **config)) is None
    until = time.monotonic() + OBEYED_SECONDS
    while guest.post("/share/file/", files={"file": ("a.bin", b"12")}).status_code == 507:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_new_password_ends_every_session(stack: StartedStack, guest: httpx.Client, password: str) -> None:
    tokens = [admin_wire.log_in(guest, password) for _ in range(2)]
    asked = {"admin_token": "another password"}
    changed = guest.patch("/admin/config/update", json=asked, headers={"Authorization": f"Bearer {tokens[0]}"})
    try:
        assert detail(changed) is None
        for token in tokens:
            refused(guest.get("/admin/verify", headers={"Authorization": f"Bearer {token}"}), 401)
        refused(guest.post("/admin/login", json={"password": password}), 401, "密码错误")
    finally:
        token = admin_wire.log_in(guest, "another password")
        back = {"admin_token": password}
        detail(guest.patch("/admin/config/update", json=back, headers={"Authorization": f"Bearer {token}"}))


@pytest.fixture
def folder(stack: StartedStack) -> Iterator[Path]:
    """The folder of local files, with a link that leads out of it and a folder."""
    folder = Path(stack.folder) / "local"
    (folder / "inside").mkdir(parents=True)
    (folder / "a 文件.txt").write_bytes(b"local content")
    (folder / "link").symlink_to(Path(stack.folder) / "secrets.json")
    yield folder
    for path in folder.iterdir():
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def test_local_files_are_shared_and_deleted_and_nothing_else(
    stack: StartedStack, folder: Path, guest: httpx.Client, password: str
) -> None:
    headers = {"Authorization": f"Bearer {admin_wire.log_in(guest, password)}"}
    with client_of(stack, Host=guest.headers["host"], **headers) as admin:
        (found,) = detail(admin.get("/admin/local/lists"))
        assert (found["file"], found["size"]) == ("a 文件.txt", 13)
        assert datetime.strptime(found["ctime"], "%Y-%m-%d %H:%M:%S").year > 2000  # noqa: DTZ007
        asked = {"filename": found["file"], "expire_value": 1, "expire_style": "day"}
        shared = detail(change(admin, "POST", "/local/share", **asked))
        assert shared["name"] == found["file"]
        assert wire.fetch(admin, shared["code"]) == b"local content"
        for name in (
            "../secrets.json",
            "/etc/passwd",
            "link",
            "inside",
            "..",
            "",
            "inside/x",
            "a\\b",
            "x\0",
            "x" * 300,
        ):
            refused(change(admin, "POST", "/local/share", **{**asked, "filename": name}), 400, "非法文件名")
            refused(change(admin, "DELETE", "/local/delete", filename=name), 400, "非法文件名")
        refused(change(admin, "POST", "/local/share", **{**asked, "filename": "gone"}), 404, "文件不存在")
        refused(change(admin, "POST", "/local/share", **{**asked, "expire_style": "week"}), 400)
        misshaped(change(admin, "DELETE", "/local/delete"), "filename")
        assert detail(change(admin, "DELETE", "/local/delete", filename=found["file"])) == "删除成功"
        refused(change(admin, "DELETE", "/local/delete", filename=found["file"]), 404, "文件不存在")
        assert detail(admin.get("/admin/local/lists")) == []
        with client_of(stack, **headers) as native:
            entries = native.get("/v1/admin/audit", params={"limit": 50}).json()["entries"]
        acts = [(entry["act"], entry["target_name"]) for entry in entries if entry["target_kind"] == "local_file"]
        # What was refused is not recorded.
        assert acts[:2] == [("local_file.delete", found["file"]), ("local_file.share", found["file"])]
        assert len(acts) % 2 == 0
    assert (folder / "link").is_symlink()
    assert (Path(stack.folder) / "secrets.json").exists()
