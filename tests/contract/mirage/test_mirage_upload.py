"""Mirage's section on `upload_file`, which is its reference document: every row of its tables, and the URL's shape.

The answer `File upload failed: …` when the store, the share service or the chat service is down is tested where they
can be stopped: `tests/integration/test_upload_mirage.py`.
"""

import re
from urllib.parse import urlsplit

import httpx
import pytest

from tests.contract.mirage import wire
from tests.contract.mirage.wire import User, refused, succeeded
from tests.contract.traces import Traces

LIMIT = 25_165_824
NOT_A_MEMBER = "You are not a member of this room"
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
ROOM = b'--b\r\nContent-Disposition: form-data; name="room_id"\r\n\r\n42\r\n'


def path_of(url: str) -> str:
    """The path that a client requests when it follows the URL, on the host that the test calls."""
    return httpx.URL(url).raw_path.decode()


def uploaded(user: User, room_id: object, content: bytes = b"content", name: str = "test.txt") -> str:
    body = succeeded(user.upload(room_id, content, name))
    assert (set(body), body["message"]) == ({"message", "file_url"}, "File uploaded successfully")
    return body["file_url"]


def test_a_file_becomes_one_message_with_its_url(user: User, other: User) -> None:
    room_id, name = user.create()
    succeeded(other.join(name))
    user.send(room_id, "before")
    url = uploaded(user, room_id, b"hello", "document.pdf")
    rows = other.messages(room_id)
    assert [(row["username"], row["message"]) for row in rows] == [(user.name, "before"), (user.name, url)]
    # The page opens the URL without a token, too.
    assert user.client.get(path_of(url)).content == b"hello"


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("document.pdf", ".pdf"),
        ("My_File_Of_Many.PNG", ".png"),
        ("archive.tar.gz", ".gz"),
        ("a b 'c' \u201ed\u201c.mp4", ".mp4"),
        ("Übergröße.txt", ".txt"),
        ("README", ""),
        ("what?.", ""),
        ("a.this_has_underscores", ""),
        ("a.)]", ""),
        ("a.x'y", ""),
    ],
)
def test_the_real_page_can_use_the_url(user: User, name: str, ending: str) -> None:
    room_id, _ = user.create()
    for _ in range(3):
        url = uploaded(user, room_id, name=name)
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc) == ("http", user.client.headers["Host"])
        assert re.fullmatch(rf"/file/[A-Za-z1-9+=-]{{10}}{re.escape(ending)}", parts.path)
        assert not set("_*`'\"<> ") & set(url)
        assert url[-1] not in ".,!?:;)]"
        assert user.client.get(path_of(url)).content == b"content"


def linked(text: str) -> str:
    """The HTML that the real page makes of a message: links first, then its rules for code, bold and italics."""
    text = re.sub(r"https?://[^\s<]*[^\s<.,!?:;)\]]", r'<a href="\g<0>" target="_blank">\g<0></a>', text)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    return re.sub(r"_(.+?)_", r"<i>\1</i>", text)


def test_the_real_page_makes_a_link_of_the_message(user: User) -> None:
    room_id, _ = user.create()
    for name in ("a_b_c.pdf", "x**y**.png", "`z`.txt"):
        url = uploaded(user, room_id, name=name)
        assert linked(url) == f'<a href="{url}" target="_blank">{url}</a>'
    # With an underscore in the URL, the page makes italics of the text between it and the link's own `_blank`.
    assert "<i>" in linked("https://a.example/a_b.pdf")


def test_a_file_belongs_to_its_uploader(client: httpx.Client, new_user: User) -> None:
    room_id, _ = new_user.create()
    url = uploaded(new_user, room_id, name="mine.txt")
    headers = wire.native(client, new_user)
    assert [row["name"] for row in client.get("/v1/files", headers=headers).json()["files"]] == ["mine.txt"]
    shown = client.get(f"/v1/rooms/{room_id}/messages", headers=headers).json()["messages"]
    assert (shown[0]["text"], shown[0]["file"]["name"], shown[0]["file"]["size"]) == (url, "mine.txt", 7)


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.js", "a.exe", "a.php"])
def test_files_of_any_type_are_accepted_and_sandboxed(user: User, name: str) -> None:
    room_id, _ = user.create()
    answer = user.client.get(path_of(uploaded(user, room_id, b"<script>alert(1)</script>", name)))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"] or "content-disposition" in answer.headers


def test_an_empty_file_is_accepted(user: User) -> None:
    room_id, _ = user.create()
    assert user.client.get(path_of(uploaded(user, room_id, b""))).content == b""


def test_the_file_may_come_before_the_room(user: User, traces: Traces) -> None:
    """The form of the web client sends the file first."""
    room_id, _ = user.create()
    files = [("file", ("a.txt", b"x")), ("room_id", (None, str(room_id)))]
    succeeded(user.client.post("/api/upload_file", files=files, headers=user.headers))
    with traces.nothing_left():
        files[1] = ("room_id", (None, str(2**62)))
        refused(user.client.post("/api/upload_file", files=files, headers=user.headers), 403, NOT_A_MEMBER)


# The rows of the table.


def test_without_a_token(user: User, traces: Traces) -> None:
    room_id, _ = user.create()
    with traces.nothing_left():
        files, data = {"file": ("a.txt", b"x")}, {"room_id": str(room_id)}
        answer = user.client.post("/api/upload_file", files=files, data=data)
        refused(answer, 401, "Invalid token or token missing")
        refused(user.upload(room_id, Authorization=""), 401, "Invalid token or token missing")
    assert user.messages(room_id) == []


@pytest.mark.parametrize("token", wire.UNKNOWN_TOKENS)
def test_with_an_unknown_token(user: User, traces: Traces, token: str) -> None:
    room_id, _ = user.create()
    with traces.nothing_left():
        refused(user.upload(room_id, Authorization=token), 401, "Unauthorized access")
    assert user.messages(room_id) == []


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"", {}),
        (b"{}", {"Content-Type": "application/json"}),
        (b"room_id=42", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"", {"Content-Type": "multipart/form-data"}),
        (b"--b--\r\n", FORM),
        (ROOM + b"--b--\r\n", FORM),
        (ROOM + b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--b--\r\n', FORM),
        (ROOM + b'--b\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\nx\r\n--b--\r\n', FORM),
    ],
    ids=["nothing", "json", "fields", "no boundary", "no parts", "no file", "no file's name", "another name"],
)
def test_without_a_file(user: User, traces: Traces, content: bytes, headers: dict[str, str]) -> None:
    with traces.nothing_left():
        answer = user.client.post("/api/upload_file", content=content, headers=user.headers | headers)
        refused(answer, 400, "No file provided")


def test_without_a_files_name(user: User, traces: Traces) -> None:
    body = ROOM + b'--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\nx\r\n--b--\r\n'
    with traces.nothing_left():
        answer = user.client.post("/api/upload_file", content=body, headers=user.headers | FORM)
        refused(answer, 400, "No file name provided")


def test_without_a_room(user: User, traces: Traces) -> None:
    with traces.nothing_left():
        answer = user.client.post("/api/upload_file", files={"file": ("a.txt", b"x")}, headers=user.headers)
        refused(answer, 400, "No room ID provided")
        refused(user.upload(""), 400, "No room ID provided")


def test_the_largest_file_passes_and_one_byte_more_does_not(user: User, traces: Traces) -> None:
    room_id, _ = user.create()
    url = uploaded(user, room_id, bytes(LIMIT), "a.bin")
    assert user.client.head(path_of(url)).headers["content-length"] == str(LIMIT)
    with traces.nothing_left():
        refused(user.upload(room_id, bytes(LIMIT + 1), "a.bin"), 400, "File size exceeds the 24MB limit")
    assert len(user.messages(room_id)) == 1


def test_without_membership_in_the_room(user: User, other: User, traces: Traces) -> None:
    room_id, _ = user.create()
    with traces.nothing_left():
        for room in (room_id, 2**62, 2**70, "x", "-1", "1.5"):
            refused(other.upload(room), 403, NOT_A_MEMBER)
        # The right to write in the room is checked before the size of the file.
        refused(other.upload(room_id, bytes(LIMIT + 1)), 403, NOT_A_MEMBER)
    assert user.messages(room_id) == []


def test_a_form_that_is_cut_off(user: User, traces: Traces) -> None:
    room_id, _ = user.create()
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx'
    with traces.nothing_left():
        body = ROOM.replace(b"42", str(room_id).encode()) + part
        refused(user.client.post("/api/upload_file", content=body, headers=user.headers | FORM), 400)
    assert user.messages(room_id) == []


def test_a_muted_member_cannot_upload(client: httpx.Client, user: User, other: User, traces: Traces) -> None:
    room_id, name = user.create()
    succeeded(other.join(name))
    headers = wire.native(client, user)
    members = client.get(f"/v1/rooms/{room_id}/members", headers=headers).json()["members"]
    (muted,) = [row["account"]["id"] for row in members if row["account"]["name"] == other.name]
    answer = client.patch(f"/v1/rooms/{room_id}/members/{muted}", json={"muted_seconds": 60}, headers=headers)
    assert answer.is_success
    with traces.nothing_left("file"):
        refused(other.upload(room_id), 403)
    refused(other.post("send_room_message", room_id=room_id, message="x"), 403)
    assert user.messages(room_id) == []
