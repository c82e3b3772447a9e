"""FileCodeBox's administration: every row of its contract, on the dialect's own host and on the shared one."""

import hashlib
import io
import re
import zipfile
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.filecodebox import admin_wire, wire
from tests.contract.filecodebox.admin_wire import change, detail_of, listed, row_of
from tests.contract.filecodebox.wire import detail, misshaped, refused

UNKNOWN = uuid4().hex
UNAUTHORIZED = "未授权或授权校验失败"
MINUTE = "%Y-%m-%dT%H:%M"
GUARDED = [
    *(("GET", f"/{path}") for path in ("verify", "dashboard", "activities", "config/get", "local/lists")),
    *(("GET", f"/file/{path}") for path in ("list", "detail", "preview", "download", "view-presets")),
    *(("POST", f"/{path}") for path in ("logout", "local/share", "file/view-presets/delete")),
    *(("DELETE", f"/{path}") for path in ("file/delete", "local/delete", "file/view-presets")),
    ("PATCH", "/config/update"),
    ("PATCH", "/file/update"),
    *((method, "/file/batch-delete") for method in ("DELETE", "POST")),
    *(
        (method, f"/file/{path}")
        for path in ("batch-update", "policy-action", "batch-policy-action", "metadata", "view-presets")
        for method in ("PATCH", "POST")
    ),
]
ROW = {
    *("id", "code", "prefix", "suffix", "size", "text", "expired_at", "expired_count", "used_count", "created_at"),
    *("file_hash", "is_chunked", "name", "type", "status", "isText", "isExpired", "isChunked", "remainingDownloads"),
    *("usedCount", "createdAt", "expiredAt", "fileHash", "statusInsights", "is_text", "is_expired", "status_insights"),
    *("remaining_downloads", "file_path", "uuid_file_name", "upload_id"),
}
DETAIL = ROW | {
    *("filename", "displayName", "isPermanent", "hasDownloadLimit", "hasExpirationTime", "textLength"),
    *("canPreviewText", "canDownload", "storageBackend", "filePath", "uuidFileName", "uploadId", "note", "tags"),
    *("metadata", "metadataUpdatedAt", "policy", "storage", "timeline", "display_name", "can_preview_text"),
}


def public_calls(code: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The calls that are for everybody."""
    return [
        ("GET", "/", {}),
        ("POST", "/", {}),
        ("GET", "/share/select/", {"params": {"code": code}}),
        ("POST", "/share/metadata/", {"json": {"code": code}}),
        ("POST", "/share/select/", {"json": {"code": code}}),
        ("GET", "/share/download", {"params": {"key": "x", "code": code}}),
        ("POST", "/share/file/", {"files": {"file": ("a.txt", b"a")}}),
        ("POST", "/chunk/upload/init/", {"json": {}}),
        ("POST", f"/chunk/upload/chunk/{wire.UNKNOWN_ID}/0", {"files": {"chunk": ("blob", b"a")}}),
        ("POST", f"/chunk/upload/complete/{wire.UNKNOWN_ID}", {"json": {"expire_value": 1, "expire_style": "day"}}),
        ("GET", f"/chunk/upload/status/{wire.UNKNOWN_ID}", {}),
        ("DELETE", f"/chunk/upload/{wire.UNKNOWN_ID}", {}),
        ("POST", "/presign/upload/init", {"json": {"file_name": "a.bin", "file_size": 1}}),
        ("PUT", f"/presign/upload/proxy/{wire.UNKNOWN_ID}", {"files": {"file": ("blob", b"a")}}),
        ("POST", f"/presign/upload/confirm/{wire.UNKNOWN_ID}", {"json": {}}),
        ("GET", f"/presign/upload/status/{wire.UNKNOWN_ID}", {}),
        ("DELETE", f"/presign/upload/{wire.UNKNOWN_ID}", {}),
    ]


def test_the_session_of_the_page(stack: StartedStack, guest: httpx.Client, password: str) -> None:
    misshaped(guest.post("/admin/login", json={}), "password")
    refused(guest.post("/admin/login", json={"password": "wrong password"}), 401, "密码错误")
    session = detail(guest.post("/admin/login", json={"password": password}))
    assert session["expires_in"] in range(5 * 86400 - 60, 5 * 86400 + 1)
    assert (session["token_type"], session["username"], type(session["expires_at"])) == ("bearer", "admin", int)
    with client_of(stack, Host=guest.headers["host"], Authorization=f"Bearer {session['token']}") as client:
        verified = detail(client.get("/admin/verify"))
        assert {**verified, "expires_in": 0} == {**session, "expires_in": 0}
        assert wire.select(client, wire.share_text(client, "signed in"))["text"] == "signed in"
        assert detail(client.post("/admin/logout")) == {"ok": True}
        again = client.get("/admin/verify")
        assert (again.status_code, again.json()["detail"][:9]) == (401, "token验证失败")
        # What everybody may do goes on; only a 401 would make the page forget its session.
        code = wire.share_text(client, "signed out")
        for method, path, sent in public_calls(code):
            answer = client.request(method, path, **sent)
            assert answer.status_code != 401, (path, answer.text)
            assert answer.status_code < 500, (path, answer.text)


def test_only_an_administrators_token_opens_anything(
    stack: StartedStack, guest: httpx.Client, client: httpx.Client
) -> None:
    answer = client.post("/v1/auth/register", json={"name": f"user {uuid4().hex}", "password": "a good password"})
    user = answer.json()["token"]
    for headers, text in (
        ({}, UNAUTHORIZED),
        ({"Authorization": "Bearer"}, UNAUTHORIZED),
        ({"Authorization": "Basic eDp5"}, UNAUTHORIZED),
        ({"Authorization": f"Bearer {user}"}, UNAUTHORIZED),
        ({"Authorization": "Bearer null"}, "token验证失败"),
        ({"Authorization": "Bearer a.b.c"}, "token验证失败"),
    ):
        for method, path in GUARDED:
            answer = guest.request(method, f"/admin{path}", headers=headers)
            refused(answer, 401)
            assert answer.json()["detail"].startswith(text), (method, path, headers)
            assert "www-authenticate" not in answer.headers


def test_a_list_of_rows_with_filters_orders_and_sums(admin: httpx.Client, mark: str) -> None:
    body = wire.content()
    code = wire.share_file(admin, body, f"{mark} Bericht.tar.GZ", expire_value=2, expire_style="count")
    text = wire.share_text(admin, f"text of {mark}", expire_style="forever")
    long = wire.share_file(admin, wire.content(), f"{mark} b.txt", expire_value=3)
    page = detail(admin.get("/admin/file/list", params={"page": 0, "size": 1000, "keyword": mark.upper()}))
    assert (page["page"], page["size"], page["total"]) == (1, 100, 3)
    assert [row["code"] for row in page["data"]] == [long, text, code]
    assert set(page["summary"]) >= admin_wire.HEALTH | {
        "activeCount",
        "expiredCount",
        "textCount",
        "fileCount",
        "usedCount",
    }
    assert type(page["summary"]["storageUsed"]) is int
    file_row, text_row = page["data"][2], page["data"][1]
    assert set(file_row) >= ROW
    assert (file_row["prefix"], file_row["suffix"], file_row["size"]) == (f"{mark} Bericht.tar", ".GZ", 3000)
    assert (file_row["type"], file_row["status"], file_row["expired_count"]) == ("file", "active", 2)
    assert file_row["fileHash"] == file_row["file_hash"] == hashlib.sha256(body).hexdigest()
    assert file_row["created_at"].endswith("+08:00")
    assert (file_row["text"], bool(file_row["file_path"])) == (None, True)
    assert (text_row["text"], text_row["name"], text_row["file_path"]) == (f"text of {mark}", "Text", None)
    assert (text_row["expired_at"], text_row["expired_count"], text_row["remainingDownloads"]) == (None, -1, None)
    insights = file_row["statusInsights"]
    assert (insights["severity"], insights["state"], insights["nextAction"], insights["next_action"]) == (
        *("warning", "expiring_soon"),
        *("extend_expiration",) * 2,
    )
    assert insights["reasons"] == ["expires_soon", "never_retrieved"]
    assert insights["metrics"]["remainingDownloads"] == 2
    assert text_row["statusInsights"]["state"] == "permanent"
    for query, found in (
        ({"type": "text"}, [text]),
        ({"type": "file"}, [long, code]),
        ({"type": "chunked"}, []),
        ({"status": "active"}, [long, text, code]),
        ({"status": "expired"}, []),
        ({"health": "attention"}, [code]),
        ({"health": "warning"}, [code]),
        ({"health": "expiring_soon"}, [code]),
        ({"health": "danger"}, []),
        ({"health": "expired"}, []),
        ({"health": "storage_issue"}, []),
        ({"health": "never_retrieved"}, [long, text, code]),
        ({"health": "healthy"}, [long, text]),
        ({"health": "permanent"}, [text]),
        ({"sortBy": "size", "sortOrder": "asc", "type": "text"}, [text]),
        ({"sortBy": "expired_at", "sortOrder": "asc"}, [code, long, text]),
        ({"sortBy": "name", "sortOrder": "desc"}, [text, code, long]),
        ({"sortBy": "nothing"}, [long, text, code]),
        ({"size": 1, "page": 2}, [text]),
    ):
        assert [row["code"] for row in listed(admin, keyword=mark, **query)] == found, query
    assert [row["code"] for row in listed(admin, keyword=hashlib.sha256(body).hexdigest())] == [code]
    assert [row["code"] for row in listed(admin, keyword=code) if row["code"] == code] == [code]
    for name in ("page", "size"):
        misshaped(admin.get("/admin/file/list", params={name: "x"}), name)


def test_details_previews_and_downloads(admin: httpx.Client, mark: str) -> None:
    body = wire.content()
    code = wire.share_file(admin, body, f"{mark} 文件.bin", expire_style="count", expire_value=1)
    row = row_of(admin, code)
    found = detail_of(admin, row["id"])
    assert found == detail(change(admin, "POST", "/file/detail", id=row["id"]))
    assert set(found) >= DETAIL
    assert [stage["key"] for stage in found["timeline"]] == [
        *("created", "content_ready", "expiration_policy", "download_limit", "retrieved")
    ]
    assert [stage["status"] for stage in found["timeline"]][2:] == ["pending", "active", "pending"]
    assert found["timeline"][1]["detail"] == "file"
    assert set(found["policy"]) >= {"expiredAt", "expiredCount", "remainingDownloads", "isExpired", "isPermanent"}
    assert set(found["storage"]) >= {"backend", "filePath", "uuidFileName", "fileHash", "isChunked", "uploadId"}
    download = admin.get("/admin/file/download", params={"id": row["id"]})
    assert download.content == body
    named = download.headers["content-disposition"]
    assert re.fullmatch(r"attachment; filename\*=UTF-8''[!-~]+%E6%96%87%E4%BB%B6\.bin; filename=\"[ -~]+\"", named)
    # Looking takes no use.
    assert row_of(admin, code)["expired_count"] == 1
    refused(admin.get("/admin/file/preview", params={"id": row["id"]}), 400, "仅文本分享支持预览")
    text = row_of(admin, wire.share_text(admin, f"{mark} 世界 and more"))["id"]
    preview = detail(admin.get("/admin/file/preview", params={"id": text, "maxChars": 18}))
    assert (preview["content"], preview["length"], preview["previewLength"]) == (f"{mark} 世"[:18], 28, 18)
    assert (preview["truncated"], preview["preview_length"], preview["maxChars"]) == (True, 18, 18)
    assert detail(admin.get("/admin/file/download", params={"id": text})) == f"{mark} 世界 and more"
    for path in ("detail", "preview", "download"):
        misshaped(admin.get(f"/admin/file/{path}"), "id")
        for wrong in (UNKNOWN, "7", "x", ""):
            refused(admin.get(f"/admin/file/{path}", params={"id": wrong}), 404, "文件不存在")


def test_a_share_of_several_items_is_a_file_that_is_their_archive(
    admin: httpx.Client, client: httpx.Client, mark: str
) -> None:
    items = [{"name": "a.txt", "text": "first"}, {"name": "b.txt", "text": "second"}]
    made = client.post("/v1/shares", json={"items": items, "title": mark}).json()
    (row,) = listed(admin, keyword=mark)
    assert (row["id"], row["type"], row["name"], row["size"]) == (made["id"].replace("-", ""), "file", mark, 11)
    assert [one["id"] for one in listed(admin, keyword=mark, type="file")] == [row["id"]]
    download = admin.get("/admin/file/download", params={"id": row["id"]})
    assert f"{mark}.zip" in download.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(download.content)) as archive:
        assert archive.read("b.txt") == b"second"
    assert detail(change(admin, "DELETE", "/file/delete", id=row["id"])) is None
    assert client.get(f"/v1/codes/{made['code']}").status_code == 410


def unchanging(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the seconds that pass."""
    return {name: value for name, value in row.items() if name not in ("statusInsights", "status_insights")}


def test_the_form_of_a_file_sends_everything_and_changes_what_differs(admin: httpx.Client, mark: str) -> None:
    code, other = (wire.share_file(admin, wire.content(), f"{mark}.txt") for _ in range(2))
    before = row_of(admin, code)
    same = {
        **{name: before[name] for name in ("id", "code", "prefix", "suffix", "expired_count")},
        "expired_at": before["expired_at"][:16],
    }
    assert detail(change(admin, "PATCH", "/file/update", **same)) == "更新成功"
    assert unchanging(row_of(admin, code)) == unchanging(before)
    empty = dict.fromkeys(("code", "prefix", "suffix", "expired_at", "expired_count"))
    for nothing in (empty, {**dict.fromkeys(empty, ""), "expired_count": None}):
        assert detail(change(admin, "PATCH", "/file/update", id=before["id"], **nothing)) == "更新成功"
    assert unchanging(row_of(admin, code)) == unchanging(before)
    end = datetime.fromisoformat(before["expired_at"]) + timedelta(days=2)
    new = uuid4().hex[:5].upper()
    changed = {"code": new, "prefix": f"{mark} <b>", "suffix": ".zip", "expired_at": end.strftime(MINUTE)}
    assert detail(change(admin, "PATCH", "/file/update", id=before["id"], expired_count=7, **changed)) == "更新成功"
    after = row_of(admin, new)
    assert (after["name"], after["expired_count"]) == (f"{mark} <b>.zip", 7)
    assert after["expired_at"][:16] == end.strftime(MINUTE)
    assert wire.metadata(admin, new)["name"] == f"{mark} <b>.zip"
    assert admin.post("/share/metadata/", json={"code": code}).json() == wire.UNKNOWN
    taken = {**same, "code": other, "prefix": "not changed", "expired_count": 1}
    refused(change(admin, "PATCH", "/file/update", **taken), 400, "code已存在")
    assert unchanging(row_of(admin, new)) == unchanging(after)
    refused(change(admin, "PATCH", "/file/update", **{**same, "code": new, "expired_at": "tomorrow"}), 400)
    refused(change(admin, "PATCH", "/file/update", **{**same, "code": "not a code"}), 400)
    refused(change(admin, "PATCH", "/file/update", id=before["id"], prefix="a\0b"), 400)
    refused(change(admin, "PATCH", "/file/update", id=UNKNOWN, code="ABCDE"), 404, "文件不存在")
    misshaped(change(admin, "PATCH", "/file/update", code="ABCDE"), "id")
    assert change(admin, "PATCH", "/file/update").status_code == 422


def test_policy_actions_answer_with_the_whole_file(admin: httpx.Client, mark: str) -> None:
    code = wire.share_file(admin, wire.content(), f"{mark}.txt", expire_style="count", expire_value=2)
    before = row_of(admin, code)
    end = datetime.fromisoformat(before["expired_at"])
    for action, more, expected_end, uses in (
        ("extend_24h", {}, end + timedelta(days=1), 2),
        ("extend_7d", {}, end + timedelta(days=8), 2),
        ("reset_download_limit", {"downloadLimit": 9, "download_limit": 9}, end + timedelta(days=8), 9),
        ("make_permanent", {}, None, -1),
    ):
        found = detail(change(admin, "PATCH", "/file/policy-action", id=before["id"], action=action, **more))
        assert set(found) >= DETAIL
        assert (found["expired_at"] and datetime.fromisoformat(found["expired_at"])) == expected_end, action
        assert found["expired_count"] == uses
    assert found["timeline"][2]["status"] == found["timeline"][3]["status"] == "unlimited"
    refused(change(admin, "POST", "/file/policy-action", id=before["id"], action="burn"), 400, "不支持的策略动作")
    for limit in (0, -1, "x"):
        asked = {"id": before["id"], "action": "reset_download_limit", "download_limit": limit}
        refused(change(admin, "POST", "/file/policy-action", **asked), 400, "取件次数必须大于 0")
    refused(change(admin, "PATCH", "/file/policy-action", id=UNKNOWN, action="extend_7d"), 404, "文件不存在")
    many = {"ids": [before["id"], UNKNOWN, before["id"]], "action": "reset_download_limit"}
    answer = detail(change(admin, "PATCH", "/file/batch-policy-action", **many))
    assert (answer["updated"], answer["missing"], answer["failed"]) == ([before["id"]], [UNKNOWN], [])
    assert [answer[f"{name}Count"] for name in ("updated", "missing", "failed", "requested", "unique")] == [
        1,
        1,
        0,
        3,
        2,
    ]
    assert (answer["updated_count"], answer["action"]) == (1, "reset_download_limit")
    assert row_of(admin, code)["expired_count"] == 5
    for wrong in ({"action": "burn"}, {}):
        asked = {"ids": [before["id"]], **wrong}
        refused(change(admin, "POST", "/file/batch-policy-action", **asked), 400, "不支持的策略动作")
    refused(
        change(admin, "POST", "/file/batch-policy-action", **many | {"downloadLimit": 0}), 400, "取件次数必须大于 0"
    )
    empty = {"ids": [], "action": "extend_7d"}
    refused(change(admin, "POST", "/file/batch-policy-action", **empty), 400, "请选择要更新的文件")


def test_many_files_are_changed_and_deleted_at_once(admin: httpx.Client, mark: str) -> None:
    codes = [wire.share_file(admin, wire.content(), f"{mark}.txt") for _ in range(3)]
    ids = [row_of(admin, code)["id"] for code in codes]
    end = datetime.fromisoformat(row_of(admin, codes[0])["expired_at"]) + timedelta(days=3)
    for body, seen in (
        ({"expired_at": end.strftime(MINUTE)}, lambda row: row["expired_at"][:16] == end.strftime(MINUTE)),
        ({"expired_count": 3}, lambda row: row["expired_count"] == 3),
        ({"clearExpiredAt": True, "clear_expired_at": True}, lambda row: row["expired_at"] is None),
    ):
        answer = detail(change(admin, "PATCH", "/file/batch-update", ids=[*ids, UNKNOWN], **body))
        assert (answer["updated"], answer["missing"]) == (ids, [UNKNOWN])
        assert all(seen(row) for row in listed(admin, keyword=mark)), body
    refused(change(admin, "POST", "/file/batch-update", ids=ids), 400, "请选择要更新的字段")
    assert change(admin, "POST", "/file/batch-update", ids=[], expired_count=3).status_code == 400
    assert detail(change(admin, "DELETE", "/file/delete", id=ids[0])) is None
    refused(change(admin, "DELETE", "/file/delete", id=ids[0]), 404, "文件不存在")
    assert admin.post("/share/metadata/", json={"code": codes[0]}).json() == wire.ENDED
    answer = detail(change(admin, "DELETE", "/file/batch-delete", ids=[*ids, ids[1]]))
    assert (answer["deleted"], answer["missing"], answer["failed"]) == (ids[1:], ids[:1], [])
    assert [answer[f"{name}Count"] for name in ("deleted", "requested", "unique")] == [2, 4, 3]
    assert listed(admin, keyword=mark) == []
    assert change(admin, "POST", "/file/batch-delete", ids=[]).status_code == 400
    misshaped(change(admin, "POST", "/file/batch-delete"), "ids")
    misshaped(admin.get("/admin/activities", params={"limit": "x"}), "limit")
    actions = [entry["action"] for entry in detail(admin.get("/admin/activities", params={"limit": 3}))["activities"]]
    assert actions == ["file.delete"] * 3


def test_notes_and_tags(admin: httpx.Client, mark: str) -> None:
    row = row_of(admin, wire.share_file(admin, wire.content(), f"{mark}.txt"))
    sent = {"id": row["id"], "note": "  =cmd|'<script>' ", "tags": [" one ", "ONE", "two", ""]}
    found = detail(change(admin, "PATCH", "/file/metadata", **sent))
    assert (found["note"], found["tags"]) == ("=cmd|'<script>'", ["one", "two"])
    assert found["metadata"]["note"] == found["note"]
    assert found["metadata"]["updatedAt"] == found["metadata"]["updated_at"] == found["metadataUpdatedAt"]
    found = detail(change(admin, "POST", "/file/metadata", id=row["id"], tags=[]))
    assert (found["note"], found["tags"]) == ("=cmd|'<script>'", [])
    refused(change(admin, "PATCH", "/file/metadata", id=row["id"]), 400, "请选择要更新的元数据")
    for wrong in ({"note": "x" * 2001}, {"tags": ["x" * 25]}, {"tags": [str(n) for n in range(13)]}):
        refused(change(admin, "PATCH", "/file/metadata", id=row["id"], **wrong), 400)
    refused(change(admin, "PATCH", "/file/metadata", id=UNKNOWN, note="x"), 404, "文件不存在")


def test_views_are_kept_for_all_administrators(admin: httpx.Client, mark: str) -> None:
    filters = {
        "keyword": "k" * 100,
        "status": "active",
        "type": "all",
        "health": "danger",
        "sortBy": "size",
        "size": 50,
    }
    made = detail(change(admin, "POST", "/file/view-presets", name=f" {mark} ", filters=filters, params=filters))
    assert set(made) >= {"id", "name", "filters", "params", "createdAt", "updatedAt"}
    assert made["filters"] == made["params"] == {**filters, "keyword": "k" * 80, "sortOrder": "desc"}
    renamed = detail(change(admin, "PATCH", "/file/view-presets", id=made["id"], name=f"{mark} 2", filters={}))
    assert (renamed["id"], renamed["name"], renamed["filters"]["status"]) == (made["id"], f"{mark} 2", "all")
    found = detail(admin.get("/admin/file/view-presets"))
    assert found["presets"] == found["items"]
    assert found["total"] == len(found["items"])
    assert renamed in found["items"]
    for nameless in ({"name": " "}, {"name": ""}, {}):
        refused(change(admin, "POST", "/file/view-presets", **nameless), 400, "请输入视图名称")
    assert len(detail(change(admin, "PATCH", "/file/view-presets", id=made["id"], name="n" * 40))["name"]) == 32
    refused(change(admin, "PATCH", "/file/view-presets", id=2**31 - 1, name="x"), 404)
    more = [detail(change(admin, "POST", "/file/view-presets", name=mark)) for _ in range(24 - found["total"])]
    refused(change(admin, "POST", "/file/view-presets", name=mark), 400)
    deleted = detail(change(admin, "DELETE", "/file/view-presets", id=made["id"]))
    assert (deleted["deleted"], deleted["deletedPresetId"], deleted["total"]) == (True, made["id"], 23)
    for preset in more:
        detail(change(admin, "POST", "/file/view-presets/delete", id=preset["id"]))
    assert detail(change(admin, "DELETE", "/file/view-presets", id=made["id"]))["deleted"] is False
