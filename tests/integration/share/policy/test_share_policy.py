"""The policy: who may change it, which values it takes, and when a change takes effect."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from common.http.app import VERSION
from share_service.policy import source
from tests.integration.share.asking import share_text
from tests.integration.share.running_share import ShareService, Start

OBEYED_SECONDS = 5


@pytest.fixture
def administrator(service: ShareService) -> httpx.Client:
    return service.client(account=service.administrator())


@pytest.fixture(autouse=True)
def unchanged(administrator: httpx.Client) -> Iterator[None]:
    """Give every field the environment's value again."""
    yield
    changes = administrator.get("/v1/policy").json()["changes"]
    assert change(administrator, **dict.fromkeys(changes)).status_code == 200


@pytest.fixture
def _obeyed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes read the policy at every use of it, for tests that are not about the time which that takes."""
    monkeypatch.setattr(source, "CACHE_SECONDS", 0)


OBEYED_AT_ONCE = pytest.mark.usefixtures("_obeyed_at_once")


def change(administrator: httpx.Client, version: int | None = None, **values: Any) -> httpx.Response:
    """Change the newest version, or claim to have read that one."""
    newest = administrator.get("/v1/policy").json()["version"] if version is None else version
    return administrator.patch("/v1/policy", json={"version": newest, "values": values})


def soon(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + OBEYED_SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_change_is_obeyed_within_seconds_and_can_be_taken_back(
    service: ShareService, client: httpx.Client, administrator: httpx.Client
) -> None:
    answer = change(administrator, upload_size=5, numeric_codes=True, name="Ours", expire_styles=["day"]).json()
    assert (answer["values"]["upload_size"], answer["defaults"]["upload_size"]) == (5, 10 * 1024**3)
    assert answer["changes"] == {"upload_size": 5, "numeric_codes": True, "name": "Ours", "expire_styles": ["day"]}
    soon(lambda: client.post("/").json()["detail"]["uploadSize"] == 5)
    detail = client.post("/").json()["detail"]
    assert (detail["name"], detail["expireStyle"]) == ("Ours", ["day"])
    assert service.internal("GET", "/internal/policy").json()["upload_size"] == 5
    assert all(share_text(client).isdecimal() for _ in range(20))
    assert change(administrator, upload_size=None).json()["values"]["upload_size"] == 10 * 1024**3
    soon(lambda: client.post("/").json()["detail"]["uploadSize"] == 10 * 1024**3)


@OBEYED_AT_ONCE
def test_the_length_of_codes_can_be_chosen(client: httpx.Client, administrator: httpx.Client) -> None:
    change(administrator, code_length=9)
    soon(lambda: len(share_text(client)) == 9)
    change(administrator, numeric_codes=True)
    soon(lambda: (code := share_text(client)).isdecimal() and len(code) == 9)
    code = share_text(client)
    assert client.get("/share/select/", params={"code": code}).text == "a text"


@OBEYED_AT_ONCE
def test_the_least_length_of_chosen_codes_can_be_set(service: ShareService, administrator: httpx.Client) -> None:
    def choose(code: str) -> int:
        # An address chooses only so many.
        return service.client().post("/v1/shares", json={"items": [{"text": "a"}], "code": code}).status_code

    assert (choose("xyz"), choose("wxyz")) == (400, 201)
    change(administrator, chosen_code_length=3)
    soon(lambda: choose("xyz") == 201)
    change(administrator, chosen_code_length=8)
    soon(lambda: choose("0xyz") == 400)
    assert choose("exactly8") == 201
    assert service.client().get("/c/xyz").text == "a", "what exists stays"


def cors(client: httpx.Client, origin: str, *, asks: bool = False) -> tuple[int, str | None]:
    """The status and the permission that a page of this origin gets; `asks`: before its request."""
    headers = {"Origin": origin, **({"Access-Control-Request-Method": "GET"} if asks else {})}
    answer = client.request("OPTIONS" if asks else "GET", "/v1/site", headers=headers)
    return answer.status_code, answer.headers.get("access-control-allow-origin")


@OBEYED_AT_ONCE
def test_pages_of_other_origins_may_call_if_they_are_trusted(
    service: ShareService, client: httpx.Client, administrator: httpx.Client
) -> None:
    ours, theirs = "https://pages.example.org", "https://other.example.org"
    assert cors(client, theirs) == (200, "*")
    change(administrator, trusted_origins=[ours])
    soon(lambda: cors(client, theirs) == (200, None))
    assert (cors(client, ours), cors(client, ours, asks=True)) == ((200, ours), (200, ours))
    assert cors(client, theirs, asks=True) == (400, None)
    answer = client.get("/v1/site", headers={"Origin": ours})
    assert "Origin" in answer.headers["vary"]
    assert answer.headers["access-control-expose-headers"] == "*"
    change(administrator, trusted_origins=[])
    soon(lambda: cors(client, ours) == (200, None))
    own = str(client.base_url).rstrip("/")
    assert cors(client, own)[0] == 200, "a page of our own needs no permission"


@OBEYED_AT_ONCE
def test_the_page_reads_name_looks_and_limits_before_anybody_signs_in(
    client: httpx.Client, administrator: httpx.Client
) -> None:
    unchanged = {
        "name": "Waystation",
        "description": "Send a file, pick it up by its code",
        "notices": [],
        "accent": "#0b6e69",
        "version": VERSION,
        "guest_upload": True,
        "registration": True,
        "upload_size": 10 * 1024**3,
        "expire_styles": ["day", "hour", "minute", "forever", "count"],
        "longest_life_seconds": 7 * 24 * 60 * 60,
        "item_limit": 1000,
    }
    soon(lambda: client.get("/v1/site").json() == unchanged)
    values: dict[str, Any] = {"notices": ["<b>Closed</b> on Monday"], "accent": "#A01020", "registration": False}
    assert change(administrator, None, open_upload=False, max_save_seconds=60, **values).status_code == 200
    soon(lambda: client.get("/v1/site").json()["accent"] == "#A01020")
    site = client.get("/v1/site").json()
    assert (site["notices"], site["registration"], site["guest_upload"]) == (values["notices"], False, False)
    assert site["longest_life_seconds"] == 60


@OBEYED_AT_ONCE
def test_the_page_is_installed_under_the_name_and_in_the_colour_of_the_place(
    client: httpx.Client, administrator: httpx.Client
) -> None:
    name = 'Ünsere "Ablage" </script>'
    assert change(administrator, name=name, description="For all", accent="#A01020").status_code == 200
    soon(lambda: client.get("/manifest.webmanifest").json()["name"] == name)
    answer = client.get("/manifest.webmanifest", headers={"Authorization": "Bearer of nothing"})
    manifest = answer.json()
    assert (manifest["short_name"], manifest["description"], manifest["theme_color"]) == (name, "For all", "#A01020")
    assert {icon["sizes"] for icon in manifest["icons"]} == {"192x192", "512x512"}
    assert answer.headers["content-type"] == "application/manifest+json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    head = client.head("/manifest.webmanifest")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"upload_size": 0}, "values.upload_size"),
        ({"upload_size": "5"}, "values.upload_size"),
        ({"upload_size": 2**63}, "values.upload_size"),
        ({"upload_size": True}, "values.upload_size"),
        ({"open_upload": "false"}, "values.open_upload"),
        ({"expire_styles": []}, "values.expire_styles"),
        ({"expire_styles": ["week"]}, "values.expire_styles.0"),
        ({"allowed_file_types": [""]}, "values.allowed_file_types.0"),
        ({"name": "\x00"}, "values.name"),
        ({"name": "x" * 201}, "values.name"),
        ({"max_save_seconds": -1}, "values.max_save_seconds"),
        ({"upload_minute": 10**9}, "values.upload_minute"),
        ({"accent": "red"}, "values.accent"),
        ({"accent": "#12345g"}, "values.accent"),
        ({"notices": ["x"] * 21}, "values.notices"),
        ({"notices": ["\x00"]}, "values.notices.0"),
        ({"registration": None, "gone": 1}, "values.gone"),
        ({"code_length": 4}, "values.code_length"),
        ({"account_bytes": 0}, "values.account_bytes"),
        ({"place_files": 2**31}, "values.place_files"),
        ({"public_rooms": -1}, "values.public_rooms"),
        *(
            ({"trusted_origins": [wrong]}, "values.trusted_origins.0")
            for wrong in (
                "",
                "example.org",
                "https://example.org/",
                "https://EXAMPLE.org",
                "https://*.example.org",
                "null",
            )
        ),
        # Each of these values is right by itself.
        ({"max_save_seconds": 30, "expire_styles": ["minute", "day"]}, "values.max_save_seconds"),
        ({"place_bytes": 5, "account_bytes": 6}, "values.place_bytes"),
        ({"place_files": 5, "guest_files": 6}, "values.place_files"),
        ({"rooms_per_account": 1, "public_rooms_per_account": 2}, "values.rooms_per_account"),
    ],
)
def test_one_wrong_value_changes_nothing(administrator: httpx.Client, values: dict[str, Any], where: str) -> None:
    before = administrator.get("/v1/policy").json()
    answer = change(administrator, None, **{"description": "a change beside it", **values})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert answer.json()["detail"].startswith(f"{where}: ")
    assert administrator.get("/v1/policy").json() == before


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"version":0}', b'{"version":"0","values":{}}', b'{"version":0,"values":{},"x":1}']
)
def test_a_malformed_change_is_refused(administrator: httpx.Client, body: bytes) -> None:
    assert administrator.patch("/v1/policy", content=body).status_code == 400


def test_of_two_who_save_at_once_one_is_told(administrator: httpx.Client) -> None:
    version = administrator.get("/v1/policy").json()["version"]
    sizes = range(1, 9)
    with ThreadPoolExecutor(len(sizes)) as pool:
        answers = list(pool.map(lambda size: change(administrator, version, upload_size=size), sizes))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 7]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"policy_changed"}
    saved = next(answer.json() for answer in answers if answer.status_code == 200)
    assert administrator.get("/v1/policy").json() == saved
    assert saved["version"] == version + 1
    assert change(administrator, version, upload_size=9).status_code == 409


def test_a_quota_of_the_environment_can_be_lifted(start: Start) -> None:
    with start(place_bytes=5, account_files=3) as service:
        administrator = service.client(account=service.administrator())

        def storage_limit(wanted: int | None = None) -> Any:
            if wanted is not None:
                assert administrator.patch("/admin/config/update", json={"storageLimit": wanted}).json()["code"] == 200
            return administrator.get("/admin/config/get").json()["detail"]["storageLimit"]

        def values() -> tuple[Any, Any, Any]:
            found = administrator.get("/v1/policy").json()
            return found["values"]["place_bytes"], found["values"]["account_files"], found["changes"]

        assert (values(), storage_limit()) == ((5, 3, {}), 5)
        lifted = change(administrator, place_bytes="unlimited", account_files="unlimited")
        assert lifted.status_code == 200, lifted.text
        everything = {"place_bytes": "unlimited", "account_files": "unlimited"}
        assert (values(), storage_limit()) == (("unlimited", "unlimited", everything), 0)
        # Other services, also those of an earlier version, are told of no limit as before.
        soon(lambda: service.internal("GET", "/internal/policy").json()["place_bytes"] is None)
        # The whole answer can be sent back, and changes nothing.
        assert change(administrator, **administrator.get("/v1/policy").json()["values"]).status_code == 200
        assert values()[:2] == ("unlimited", "unlimited")
        change(administrator, **dict.fromkeys(administrator.get("/v1/policy").json()["changes"]))
        assert values() == (5, 3, {})
        assert (storage_limit(0), values()[2]) == (0, {"place_bytes": "unlimited"})
        assert (storage_limit(7), values()[2]) == (7, {"place_bytes": 7})
        for wrong in ("Unlimited", 0, -1, 1.5, True, [], "5"):
            assert change(administrator, place_bytes=wrong).status_code == 400, wrong


def test_every_version_can_be_read(service: ShareService, administrator: httpx.Client) -> None:
    for size in (1, 2, 3):
        change(administrator, upload_size=size)
    page = administrator.get("/v1/policy/revisions", params={"limit": 2}).json()
    rest = administrator.get("/v1/policy/revisions", params={"before": page["next"]}).json()
    assert [revision["changes"]["upload_size"] for revision in page["revisions"]] == [3, 2]
    assert rest["revisions"][0]["changes"]["upload_size"] == 1
    versions = [revision["version"] for revision in page["revisions"] + rest["revisions"]]
    assert versions == list(range(len(versions), 0, -1))
    assert {revision["changed_by"] for revision in page["revisions"]} == {str(service.administrator().id)}


def test_the_policy_is_for_signed_in_administrators(service: ShareService, client: httpx.Client) -> None:
    user, administrator = service.sign_up(), service.administrator()
    key = service.key_of(administrator)
    with_key = httpx.BasicAuth(key["api_key"], key["api_token"])
    for method, path in (("GET", "/v1/policy"), ("PATCH", "/v1/policy"), ("GET", "/v1/policy/revisions")):
        assert client.request(method, path).status_code == 401
        assert service.client(account=user).request(method, path).status_code == 403
        assert client.request(method, path, auth=with_key).json()["code"] == "session_needed"


def test_a_stored_value_that_is_not_valid_any_more_leaves_the_others_in_force(start: Start) -> None:
    with start() as service, psycopg.connect(service.database_url, autocommit=True) as connection:
        changes = '{"upload_size": -1, "numeric_codes": true, "gone": 1}'
        connection.execute("insert into policy_revision (version, changes) values (1, %s)", [changes])
        administrator = service.client(account=service.administrator())
        values = administrator.get("/v1/policy").json()["values"]
        assert (values["upload_size"], values["numeric_codes"]) == (10 * 1024**3, True)
        assert service.client().post("/").json()["detail"]["uploadSize"] == 10 * 1024**3
        assert change(administrator, name="Ours").status_code == 400, "the value that is not valid is still there"
        assert change(administrator, name="Ours", upload_size=None).json()["changes"] == {
            "numeric_codes": True,
            "name": "Ours",
        }


def test_the_document_of_ones_own_page_is_filled_in_as_text(start: Start, tmp_path: Path) -> None:
    document = tmp_path / "index.html"
    document.write_text(
        '<title>{{title}}</title><meta content="{{description}}|{{keywords}}|{{other}}|{{title}}">'
        "<SCRIPT data-name={{title}}>set('{{title}}', {{opacity}})</script><p>{{title}}</p>"
        "<script>`{{title}}` </scripts"
    )
    with start(page_document=str(document)) as service:
        administrator, client = service.client(account=service.administrator()), service.client()
        values = {"name": "<b>Ours</b>", "description": 'a "quoted" {{title}}', "keywords": "a,&b"}
        assert change(administrator, None, **values).status_code == 200
        wanted = (
            "<title>&lt;b&gt;Ours&lt;/b&gt;</title>"
            '<meta content="a &quot;quoted&quot; {{title}}|a,&amp;b|{{other}}|&lt;b&gt;Ours&lt;/b&gt;">'
            "<SCRIPT data-name=&lt;b&gt;Ours&lt;/b&gt;>set('\\u003cb\\u003eOurs\\u003c\\u002fb\\u003e', 0.9)</script>"
            "<p>&lt;b&gt;Ours&lt;/b&gt;</p><script>`\\u003cb\\u003eOurs\\u003c\\u002fb\\u003e` </scripts"
        )
        soon(lambda: client.get("/internal/page").text == wanted)
        answer = client.get("/internal/page")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        tag = answer.headers["etag"]
        assert client.get("/internal/page", headers={"If-None-Match": tag}).status_code == 304
        assert client.head("/internal/page").headers["etag"] == tag
        document.unlink()
        assert client.get("/internal/page").status_code == 404


def test_a_replica_obeys_what_another_one_was_told(
    service: ShareService, administrator: httpx.Client, start: Start
) -> None:
    with start(database_url=service.database_url) as other:
        asked: dict[str, Any] = {"name": "Ours", "open_upload": False, "upload_size": 77, "code_length": 8}
        assert change(administrator, None, **asked).status_code == 200
        guest = other.client()
        soon(lambda: guest.get("/v1/site").json()["name"] == "Ours")
        assert guest.get("/v1/site").json()["upload_size"] == 77
        assert guest.post("/").json()["detail"]["uploadSize"] == 77
        assert guest.post("/share/text/", data={"text": "a"}).status_code == 403
        item = {"items": [{"name": "a.txt", "text": "a"}]}
        assert guest.post("/v1/shares", json=item).json()["code"] == "guests_refused"
        assert other.internal("GET", "/internal/policy").json()["code_length"] == 8


def test_internal_routes_are_for_the_upload_service_alone(start: Start) -> None:
    with start() as service:
        assert service.client().get("/internal/policy").status_code == 401
        headers = {"Authorization": "Bearer x.y.z"}
        assert service.client().get("/internal/policy", headers=headers).status_code == 401
        assert service.internal("GET", "/internal/policy", service="share").status_code == 403
        assert service.internal("GET", "/internal/policy").status_code == 200
