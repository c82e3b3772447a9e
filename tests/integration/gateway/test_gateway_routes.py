"""The gateway's routes: which service answers which path under which host name, and what nobody answers."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping

import httpx
import pytest

from tests.integration.gateway.running_gateway import CONTENT, Door, open_door

Routes = list[tuple[str, str, str]]
"""Service, method, path."""

FILECODEBOX: Routes = [
    ("share", "POST", "/"),
    ("share", "OPTIONS", "/"),
    ("share", "GET", "/health"),
    ("share", "GET", "/api/health"),
    ("share", "GET", "/api/v1/config"),
    *(
        (service, "POST", prefix + path)
        for prefix in ("", "/api")
        for service, path in (
            *(
                ("upload", path)
                for path in ("/share/file", "/share/file/", "/chunk/upload/init/", "/presign/upload/init")
            ),
            *(("share", path) for path in ("/share/text", "/share/text/", "/share/select", "/share/select/?code=1")),
            *(("share", path) for path in ("/share/metadata", "/share/metadata/")),
        )
    ),
]
# These two have the same calls in common, so that they are told apart by the service itself.
ACCOUNTS: Routes = [("auth", "POST", f"/api/{name}") for name in ("register", "login", "logout")]
FILE_UPLOADER: Routes = [
    *ACCOUNTS,
    ("auth", "POST", "/api/login?bot=true"),
    ("auth", "GET", "/api/login/token"),
    ("auth", "POST", "/api/refresh_token"),
    ("upload", "POST", "/api/upload?include_ext=true"),
    ("upload", "POST", "/api/upload/private"),
    ("upload", "POST", "/api/upload/17"),
    ("share", "GET", "/api"),
    ("share", "GET", "/file/4yn-8yjhsu"),
    ("share", "GET", "/f/4yn-8yjhsu.mp4"),
    ("share", "GET", "/api/delete/4yn-8yjhsu?key=1"),
    ("share", "GET", "/api/get_files"),
    ("share", "GET", "/api/get_files/private"),
    ("share", "GET", "/api/getFiles"),
    ("share", "POST", "/api/transfer"),
    ("share", "GET", "/api/get_groups"),
    ("share", "POST", "/api/create_group"),
    ("share", "DELETE", "/api/delete_group/17"),
    ("share", "GET", "/api/generate_invite/17"),
    ("share", "POST", "/api/join/link"),
    ("share", "GET", "/api/invite_info/link"),
    ("share", "POST", "/api/leave/17"),
    ("share", "GET", "/invite/link"),
]
MIRAGE: Routes = [
    *ACCOUNTS,
    ("auth", "GET", "/api/usercount"),
    ("auth", "GET", "/api/user/settings"),
    ("auth", "GET", "/api/user/S%C3%B8ren"),
    ("upload", "POST", "/api/upload_file"),
    ("share", "GET", "/file/4yn-8yjhsu"),
    ("chat", "GET", "/api/ping"),
    ("chat", "POST", "/api/create_room"),
    ("chat", "POST", "/api/join_room"),
    ("chat", "GET", "/api/rooms"),
    ("chat", "GET", "/api/user_rooms"),
    ("chat", "GET", "/api/room_members/1"),
    ("chat", "POST", "/api/send_room_message"),
    ("chat", "GET", "/api/get_room_messages?room_id=1"),
    ("chat", "POST", "/api/send_inbox_message"),
    ("chat", "GET", "/api/inbox"),
    ("chat", "OPTIONS", "/api/delete_inbox_message"),
    ("chat", "GET", "/api/inbox_count"),
    *(("chat", "POST", f"/api/{name}") for name in ("create_post", "vote_post", "reply_to_post", "follow", "unfollow")),
    *(("chat", "GET", f"/api/{name}") for name in ("get_posts/name", "get_post_by_id/1", "get_replies/1")),
    *(("chat", "GET", f"/api/{name}") for name in ("get_followers/name", "get_following/name")),
    ("chat", "GET", "/api/check_follow?username=name"),
    ("chat", "GET", "/api/fyp"),
]
MIRRORACE: Routes = [
    ("upload", "POST", "/api/v1/file/upload"),
    ("upload", "POST", "/api/v1/upload"),
    ("upload", "POST", "/api/v1/upload/remote"),
    ("share", "POST", "/api/v1/file/info"),
    ("share", "GET", "/m/abc0123456xy"),
    ("share", "POST", "/m/abc0123456xy"),
    ("share", "GET", "/m/abc0123456xy/download?key=1"),
    ("share", "GET", "/m/abc0123456xy/"),
]
NATIVE: Routes = [
    ("auth", "POST", "/v1/auth/register"),
    ("auth", "DELETE", "/v1/auth/sessions/0"),
    ("auth", "PATCH", "/v1/account"),
    ("auth", "POST", "/v1/account/keys/0/regenerate"),
    ("auth", "GET", "/v1/accounts?limit=1"),
    ("auth", "DELETE", "/v1/accounts/0"),
    ("auth", "POST", "/v1/signing-keys"),
    ("auth", "GET", "/v1/openapi/auth.json"),
    ("upload", "GET", "/v1/files?limit=1"),
    ("upload", "PATCH", "/v1/files/0"),
    ("upload", "GET", "/v1/files/0/content"),
    ("upload", "GET", "/v1/mirrors"),
    ("upload", "PATCH", "/v1/mirrors/1"),
    ("upload", "POST", "/v1/fetches"),
    ("upload", "DELETE", "/v1/fetches/0"),
    ("upload", "GET", "/v1/openapi/upload.json"),
    ("share", "POST", "/v1/shares"),
    ("share", "DELETE", "/v1/shares/0"),
    ("share", "GET", "/v1/links/4yn-8yjhsu"),
    ("share", "GET", "/v1/pages/abc0123456xy"),
    ("share", "GET", "/v1/openapi/share.json"),
    ("chat", "POST", "/v1/rooms"),
    ("chat", "GET", "/v1/rooms/mine"),
    ("chat", "DELETE", "/v1/rooms/1/members/0"),
    ("chat", "GET", "/v1/rooms/1/events?after=1-0"),
    ("chat", "POST", "/v1/messages"),
    ("chat", "DELETE", "/v1/messages/1"),
    ("chat", "GET", "/v1/openapi/chat.json"),
]
EVERYTHING: Routes = list(dict.fromkeys([*FILECODEBOX, *FILE_UPLOADER, *MIRAGE, *MIRRORACE, *NATIVE]))
SPOKEN: Mapping[str, Routes] = {
    "filecodebox.example.org": FILECODEBOX,
    "FileUploader.localhost:8080": FILE_UPLOADER,
    "mirage.example.org": MIRAGE,
    "mirrorace.example.org": MIRRORACE,
    "files.example.org": EVERYTHING,
    "fileuploader": EVERYTHING,
    "mirrorace": EVERYTHING,
    "my-fileuploader.example.org": EVERYTHING,
}


@pytest.fixture(scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Door]:
    async with open_door(tmp_path_factory.mktemp("routes")) as door:
        yield door


@pytest.fixture
async def client(door: Door) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=door.url, timeout=30) as client:
        yield client


@pytest.mark.parametrize(("service", "method", "path"), EVERYTHING)
async def test_a_path_reaches_its_service_unchanged(client: httpx.AsyncClient, service: str, method: str, path: str):
    seen = (await client.request(method, path, content=b"body")).json()
    assert (seen["service"], seen["method"], seen["path"], seen["received"]) == (service, method, path, 4)


@pytest.mark.parametrize("host", SPOKEN)
async def test_a_host_name_of_one_dialect_speaks_that_dialect_alone(client: httpx.AsyncClient, host: str):
    answered: Routes = []
    for service, method, path in EVERYTHING:
        answer = await client.request(method, path, headers={"Host": host})
        if answer.status_code == 404:
            assert answer.json() == {"detail": "Not Found"}
        else:
            assert answer.json()["headers"]["Host"] == host
            answered.append((answer.json()["service"], method, path))
            assert answered[-1][0] == service
    assert sorted(answered) == sorted(
        route for route in EVERYTHING if _bare(route) in {_bare(spoken) for spoken in SPOKEN[host]}
    )


def _bare(route: tuple[str, str, str]) -> tuple[str, str, str]:
    service, method, path = route
    return service, method, path.partition("?")[0]


@pytest.mark.parametrize("host", SPOKEN)
@pytest.mark.parametrize(
    "path", ["/internal/health/ready", "/internal/credentials", "/INTERNAL/accounts/0", "/internal"]
)
async def test_no_host_name_leads_inside(client: httpx.AsyncClient, host: str, path: str):
    for method in ("GET", "POST", "DELETE"):
        answer = await client.request(method, path, headers={"Host": host})
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    "path",
    [
        "/file/a+b=c-d9Z+",
        "/f/+=+=+=+=+=.mp4",
        "/file/a%2Bb%3Dc",
        "/file/a%20b",
        "/api/delete/a+b=c-d9Z+?key=1+2=3",
        "/v1/links/a+b=c-d9Z+",
        "/v1/links/a%2Bb%3Dc",
    ],
)
async def test_a_links_characters_reach_the_service_as_they_were_sent(door: Door, path: str):
    head, body = await ask(door.url, "GET", path)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert json.loads(body)["path"] == path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/internal/health/ready"),
        ("POST", "/internal/tokens"),
        ("GET", "/INTERNAL/health/ready"),
        ("GET", "//internal/health/ready"),
        ("GET", "/chunk/../internal/health/ready"),
        ("GET", "/chunk/%2e%2e/internal/health/ready"),
        ("GET", "/chunk/..%2finternal/health/ready"),
        ("DELETE", "/file/../internal/accounts/0"),
        ("DELETE", "/v1/files/%2e%2e/%2e%2e/internal/accounts/0"),
        ("GET", "/v1"),
        ("GET", "/v1/auth"),
        ("GET", "/v1/links"),
        ("GET", "/v1/pages"),
        ("GET", "/m"),
        ("POST", "/api/v1/upload/"),
        ("POST", "/api/v1/upload/link"),
        ("POST", "/api/v1/file"),
        ("POST", "/api/v1/file/info/"),
        ("GET", "/m/../internal/accounts/0"),
        ("GET", "/v1/openapi/mirror.json"),
        ("GET", "/v1/rooms/1/../../../internal/rooms/1"),
        ("GET", "/v1/message"),
        ("GET", "/v1/signing-keys/0"),
        ("GET", "/api/"),
        ("POST", "/api/login/"),
        ("GET", "/api/rooms/"),
        ("POST", "/api/create_room/"),
        ("POST", "/api/upload_file/"),
        ("GET", "/api/user"),
        ("GET", "/api/room_members"),
        ("POST", "/api/login/discord/1"),
        ("GET", "/file"),
        ("GET", "/share/files"),
        ("GET", "/nothing"),
        ("GET", "/.env"),
    ],
)
async def test_everything_else_is_a_json_404(door: Door, method: str, path: str):
    head, body = await ask(door.url, method, path)
    assert head.startswith(b"HTTP/1.1 404 ")
    assert b"Content-Type: application/json\r\n" in head
    assert json.loads(body) == {"detail": "Not Found"}


async def ask(url: str, method: str, path: str) -> tuple[bytes, bytes]:
    """Send a path as it is written here; the head and the body of the answer."""
    host = url.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return head, body


@pytest.mark.parametrize("path", ["/share/download", "/file/download", "/v1/files/download"])
async def test_every_service_that_serves_files_hands_them_to_the_store(client: httpx.AsyncClient, path: str):
    response = await client.get(f"{path}?object", headers={"Authorization": "Basic Ojpub25zZW5zZQ=="})
    assert (response.status_code, response.content) == (200, CONTENT)


async def test_the_reference_is_served_to_read_and_to_programs(client: httpx.AsyncClient):
    page = await client.get("/docs", headers={"Accept-Encoding": "gzip"})
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["Content-Encoding"] == "gzip"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "/v1/shares" in page.text
    style = await client.get("/docs/style.css")
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    document = await client.get("/openapi.json", headers={"Origin": "https://elsewhere.example"})
    assert document.headers["Access-Control-Allow-Origin"] == "*"
    assert "/v1/shares" in document.json()["paths"]
    for method, path in (("POST", "/docs"), ("GET", "/docs/page.html"), ("GET", "/docs.html"), ("GET", "/openapi")):
        assert (await client.request(method, path)).status_code == 404
